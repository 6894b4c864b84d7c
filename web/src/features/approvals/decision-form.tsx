import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Check, X } from 'lucide-react'
import { useState } from 'react'
import { InputForm } from '~/components/form/input-form'
import { errorsByField, formOf, readForm, valuesOf, type FormField } from '~/components/form/input-form-model'
import { Button } from '~/components/ui/button'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import type { Json } from '~/lib/api'
import { Problem } from '~/lib/http'
import { readJson } from '~/lib/json-text'
import type { Approval } from './approval'
import { decide, type Decision, type Way } from './api'
import { keepApprover, lastApprover } from './approver'

/** Who decides, what they fill in, and yes or no. */
export function DecisionForm({ approval, way }: { approval: Approval; way: Way }) {
  const linked = 'token' in way
  const fields = formOf(approval.form)
  const [by, setBy] = useState(lastApprover)
  const [comment, setComment] = useState('')
  const [values, setValues] = useState(() => valuesOf(fields ?? []))
  const [text, setText] = useState('{}')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const client = useQueryClient()
  const { tell } = useNotices()
  const say = useMutation({
    mutationFn: (decision: Decision) => decide(way, decision),
    onSuccess: async (_, { decision }) => {
      if (!linked) keepApprover(by.trim())
      tell(decision === 'approve' ? 'You agreed.' : 'You rejected it.')
      await client.invalidateQueries({ queryKey: ['approvals'] })
    },
    onError: async error => {
      setErrors(refusals(fields, error))
      await client.invalidateQueries({ queryKey: ['approvals'] })
    },
  })
  const send = (decision: 'approve' | 'reject') => {
    const read = readAll(approval, fields, values, text)
    const found: Record<string, string> = decision === 'approve' ? { ...read.errors } : {}
    if (!linked && by.trim() === '') found[byField] = 'Say who you are.'
    setErrors(found)
    if (Object.keys(found).length > 0) return
    say.mutate({
      decision,
      hash: approval.hash,
      ...(linked ? {} : { by: by.trim() }),
      ...(comment.trim() ? { comment: comment.trim() } : {}),
      ...(decision === 'approve' && read.form !== undefined ? { form: read.form } : {}),
    })
  }
  return (
    <form className="flex flex-col gap-4 p-4" onSubmit={event => event.preventDefault()} aria-label="Decide">
      {!linked && (
        <Field label="Who you are" required error={errors[byField]}>
          {control => (
            <input
              {...control}
              value={by}
              maxLength={200}
              autoComplete="username"
              className={inputClass}
              onChange={e => setBy(e.target.value)}
            />
          )}
        </Field>
      )}
      {fields && (
        <InputForm
          fields={fields}
          values={values}
          errors={errors}
          onChange={(name, value) => setValues({ ...values, [name]: value })}
        />
      )}
      {!fields && approval.form !== undefined && (
        <Field label="Form" hint="JSON" error={errors['']}>
          {control => (
            <textarea
              {...control}
              rows={5}
              spellCheck={false}
              value={text}
              className={`${inputClass} font-mono text-xs`}
              onChange={e => setText(e.target.value)}
            />
          )}
        </Field>
      )}
      <Field label="Comment">
        {control => (
          <textarea
            {...control}
            rows={3}
            maxLength={4000}
            value={comment}
            className={inputClass}
            onChange={e => setComment(e.target.value)}
          />
        )}
      </Field>
      {say.isError && <ProblemView error={say.error} />}
      <div className="flex flex-wrap gap-2">
        <Button look="solid" disabled={say.isPending} onClick={() => send('approve')}>
          <Check size={14} aria-hidden /> Approve
        </Button>
        <Button look="danger" disabled={say.isPending} onClick={() => send('reject')}>
          <X size={14} aria-hidden /> Reject
        </Button>
      </div>
    </form>
  )
}

/** No member of a form has this name. */
const byField = '\u0000by'

function readAll(
  approval: Approval,
  fields: FormField[] | null,
  values: Record<string, string>,
  text: string,
): { form?: Json; errors: Record<string, string> } {
  if (approval.form === undefined) return { errors: {} }
  if (fields) {
    const read = readForm(fields, values)
    return read.errors ? { errors: read.errors } : { form: read.input, errors: {} }
  }
  const read = readJson(text)
  return 'error' in read ? { errors: { '': read.error } } : { form: read.value, errors: {} }
}

function refusals(fields: FormField[] | null, error: unknown): Record<string, string> {
  if (!(error instanceof Problem)) return {}
  const ofForm = error.causes
    .filter(c => c.pointer?.startsWith('/form'))
    .map(c => ({ ...c, pointer: c.pointer!.slice('/form'.length) }))
  return errorsByField(fields ?? [], ofForm)
}

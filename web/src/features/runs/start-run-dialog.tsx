import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Braces, ListChecks, Play } from 'lucide-react'
import { useMemo, useRef, useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import type { DefinitionRef, Json } from '~/lib/api'
import { Problem } from '~/lib/http'
import { newKey } from '~/lib/ids'
import { readJson } from '~/lib/json-text'
import { startRun, type StartRequest } from './api'
import { InputForm } from '~/components/form/input-form'
import { errorsByField, formOf, readForm, valuesOf } from '~/components/form/input-form-model'

interface StartRunDialogProps {
  definition: DefinitionRef & { inputSchema?: Json | null | undefined }
  /** The input to begin with, such as that of an earlier run. */
  input?: Json
  onClose: () => void
}

/** Asks for the input, by a form where the schema allows it, and starts one run however often it is submitted. */
export function StartRunDialog({ definition, input, onClose }: StartRunDialogProps) {
  const start = useStart(definition, onClose)
  const draft = useDraft(definition.inputSchema, input)
  const { namespace, name, version } = definition
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const read = draft.read()
    if (read.ok) start.send(read.input)
  }
  const problem = start.problem
  const located = problem ? errorsByField(draft.asForm ? (draft.fields ?? []) : [], problem.causes) : {}
  const errors = { ...located, ...draft.errors }
  return (
    <Dialog title="Start run" onClose={onClose}>
      <form onSubmit={submit} noValidate className="flex min-h-0 flex-col">
        <DialogBody>
          <div className="flex items-center justify-between gap-4">
            <p className="min-w-0 font-mono text-xs break-all">
              <span className="text-soft">{namespace}/</span>
              {name} <span className="text-soft">{version}</span>
            </p>
            {draft.fields && (
              <Button look="quiet" size="sm" onClick={draft.toggle}>
                {draft.asForm ? <Braces size={14} aria-hidden /> : <ListChecks size={14} aria-hidden />}
                {draft.asForm ? 'As JSON' : 'As form'}
              </Button>
            )}
          </div>
          {draft.asForm && draft.fields ? (
            <InputForm fields={draft.fields} values={draft.values} errors={errors} onChange={draft.setField} />
          ) : (
            <JsonInput text={draft.text} onChange={draft.setText} error={errors['']} />
          )}
          {draft.asForm && errors[''] && <p className="font-medium text-faulted">{errors['']}</p>}
          {problem && problem.code !== 'run.input_invalid' && <ProblemView error={problem} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Close</Button>
          <Button look="solid" type="submit" aria-disabled={start.pending}>
            <Play size={14} aria-hidden /> {start.pending ? 'Starting…' : 'Start run'}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function JsonInput({
  text,
  onChange,
  error,
}: {
  text: string
  onChange: (text: string) => void
  error: string | undefined
}) {
  return (
    <Field label="Input" hint="JSON. Empty means no input." error={error}>
      {control => (
        <textarea
          {...control}
          rows={10}
          spellCheck={false}
          value={text}
          onChange={event => onChange(event.target.value)}
          className={`${inputClass} font-mono text-xs leading-5`}
        />
      )}
    </Field>
  )
}

/** What is typed: the form and the JSON text are two views of one input; the one that is shown holds. */
function useDraft(schema: Json | null | undefined, input: Json | undefined) {
  const fields = useMemo(() => formOf(schema), [schema])
  const [asForm, setAsForm] = useState(fields !== null)
  const [values, setValues] = useState(() => (fields ? valuesOf(fields, input) : {}))
  const [text, setText] = useState(() => (input === undefined || input === null ? '' : JSON.stringify(input, null, 2)))
  const [errors, setErrors] = useState<Record<string, string>>({})

  const readText = (): { ok: true; input: Json | undefined } | { ok: false; error: string } => {
    if (text.trim() === '') return { ok: true, input: undefined }
    const read = readJson(text)
    return 'error' in read ? { ok: false, error: read.error } : { ok: true, input: read.value }
  }
  const read = (): { ok: true; input: Json | undefined } | { ok: false } => {
    if (asForm && fields) {
      const form = readForm(fields, values)
      setErrors(form.errors ?? {})
      return form.errors ? { ok: false } : { ok: true, input: form.input }
    }
    const json = readText()
    setErrors(json.ok ? {} : { '': json.error })
    return json.ok ? json : { ok: false }
  }
  const toggle = () => {
    if (asForm && fields) {
      const form = readForm(fields, values)
      if (!form.errors) setText(JSON.stringify(form.input, null, 2))
    } else if (fields) {
      const json = readText()
      if (!json.ok) return setErrors({ '': json.error })
      if (json.input !== undefined) setValues(valuesOf(fields, json.input))
    }
    setErrors({})
    return setAsForm(!asForm)
  }
  const setField = (name: string, value: string) => {
    setValues(old => ({ ...old, [name]: value }))
    setErrors(old => Object.fromEntries(Object.entries(old).filter(([key]) => key !== name)))
  }
  return { fields, asForm, values, text, errors, read, toggle, setField, setText }
}

function useStart(definition: DefinitionRef, onClose: () => void) {
  const navigate = useNavigate()
  const { tell } = useNotices()
  // One key for this opening of the dialog. After a refusal another input is another request and gets a key of its own.
  const key = useRef(newKey())
  const sent = useRef<string | null>(null)
  const mutation = useMutation({
    mutationFn: (request: StartRequest) => startRun(request),
    onSuccess: run => {
      onClose()
      tell(`Started ${definition.namespace}/${definition.name}.`)
      void navigate({ to: '/runs/$runId', params: { runId: run.id } })
    },
  })
  const send = (input: Json | undefined) => {
    if (mutation.isPending) return
    const body = JSON.stringify(input)
    if (sent.current !== null && sent.current !== body) key.current = newKey()
    sent.current = body ?? ''
    mutation.mutate({ definition, input, key: key.current })
  }
  return { send, pending: mutation.isPending, problem: mutation.error instanceof Problem ? mutation.error : null }
}

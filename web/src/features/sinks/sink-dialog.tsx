import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ComponentProps, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import { refresh } from '~/lib/refresh'
import { addSink, changeSink } from './api'
import type { Sink } from './sink'
import { bodyOf, check, formOf, refusals, units, type Errors, type SinkForm, type Unit } from './sink-model'

/** Adds a sink, or changes one. */
export function SinkDialog({ sink, onClose }: { sink: Sink | null; onClose: () => void }) {
  const client = useQueryClient()
  const { tell } = useNotices()
  const [form, setForm] = useState(() => formOf(sink))
  const [errors, setErrors] = useState<Errors>({})
  const save = useMutation({
    mutationFn: () => (sink ? changeSink(sink.id, bodyOf(form)) : addSink(bodyOf(form))),
    onSuccess: async saved => {
      tell(sink ? `${saved.name} is changed.` : `${saved.name} gets what comes from now on.`)
      onClose()
      await refresh(client, ['sinks'])
    },
    onError: error => setErrors(refusals(error)),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const found = check(form)
    setErrors(found)
    if (Object.keys(found).length === 0) save.mutate()
  }
  return (
    <Dialog title={sink ? `Edit ${sink.name}` : 'Add a sink'} onClose={onClose}>
      <form onSubmit={submit} noValidate className="flex min-h-0 flex-col">
        <DialogBody>
          <SinkFields form={form} errors={errors} onChange={change => setForm({ ...form, ...change })} />
          {save.isError && Object.keys(errors).length === 0 && <ProblemView error={save.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Go back</Button>
          <Button look="solid" type="submit" disabled={save.isPending}>
            {save.isPending ? 'Saving…' : sink ? 'Save' : 'Add'}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

interface FieldsProps {
  form: SinkForm
  errors: Errors
  onChange: (change: Partial<SinkForm>) => void
}

function SinkFields({ form, errors, onChange }: FieldsProps) {
  return (
    <>
      <Field label="Name" required error={errors.name}>
        {control => <Line {...control} value={form.name} max={100} onText={name => onChange({ name })} />}
      </Field>
      <Field label="Address" required hint="An http or https URL that takes CloudEvents." error={errors.url}>
        {control => <Line {...control} value={form.url} type="url" max={2000} onText={url => onChange({ url })} />}
      </Field>
      <Field
        label="Types"
        hint="One a line, each whole or its beginning and a star: order.*. Without any: every type except those that tell of runs and of questions to people, such as io.serverlessworkflow.workflow.faulted.v1 and io.millrace.approval.asked.v1."
        error={errors.types}
      >
        {control => (
          <textarea
            {...control}
            rows={3}
            spellCheck={false}
            value={form.types}
            className={`${inputClass} font-mono text-xs`}
            onChange={e => onChange({ types: e.target.value })}
          />
        )}
      </Field>
      <Field
        label="Secret"
        hint="The name of a secret with a token, or with username and password; may stay empty."
        error={errors.secret}
      >
        {control => <Line {...control} value={form.secret} max={200} onText={secret => onChange({ secret })} />}
      </Field>
      <Field label="Form of the events">
        {control => (
          <select
            {...control}
            value={form.mode}
            className={inputClass}
            onChange={e => onChange({ mode: e.target.value as SinkForm['mode'] })}
          >
            <option value="structured">structured: the whole event as JSON</option>
            <option value="binary">binary: attributes as headers, data as the body</option>
          </select>
        )}
      </Field>
      <Patience form={form} errors={errors} onChange={onChange} />
    </>
  )
}

function Patience({ form, errors, onChange }: FieldsProps) {
  return (
    <Field label="Give up after" hint="Of failing without a break." error={errors.patience}>
      {control => (
        <span className="flex gap-2">
          <input
            {...control}
            type="number"
            min={1}
            step="any"
            value={form.patience}
            className={`${inputClass} tabular !w-24`}
            onChange={e => onChange({ patience: e.target.value })}
          />
          <select
            aria-label="Unit of time"
            value={form.unit}
            className={`${inputClass} !w-32`}
            onChange={e => onChange({ unit: e.target.value as Unit })}
          >
            {Object.keys(units).map(unit => (
              <option key={unit}>{unit}</option>
            ))}
          </select>
        </span>
      )}
    </Field>
  )
}

function Line({ onText, max, ...rest }: ComponentProps<'input'> & { onText: (text: string) => void; max: number }) {
  return (
    <input
      {...rest}
      maxLength={max}
      autoComplete="off"
      className={inputClass}
      onChange={event => onText(event.target.value)}
    />
  )
}

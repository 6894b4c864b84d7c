import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import type { Json } from '~/lib/api'
import { sendEvent, type OutgoingEvent } from '~/lib/events'
import { newKey } from '~/lib/ids'
import { refresh } from '~/lib/refresh'
import type { EventFilter } from './event'

interface SendDialogProps {
  /** What the list is filtered to is what one most likely wants to send. */
  filter: EventFilter
  onSent: (position: number) => void
  onClose: () => void
}

/** Sends an event to everybody in the workspace who listens for it. */
export function SendDialog({ filter, onSent, onClose }: SendDialogProps) {
  const client = useQueryClient()
  const { tell } = useNotices()
  const [form, setForm] = useState({
    type: filter.type ?? '',
    source: filter.source ?? '/millrace/page',
    subject: '',
    data: '{}',
  })
  const [wrong, setWrong] = useState<string>()
  // The same id however often it is sent, so that a second press sends no second event; another text is another event.
  const [ids] = useState(() => new Map<string, string>())
  const sending = useMutation({
    mutationFn: (event: Omit<OutgoingEvent, 'id'>) => {
      const what = JSON.stringify(event)
      const id = ids.get(what) ?? newKey()
      ids.set(what, id)
      return sendEvent({ id, ...event })
    },
    onSuccess: async ({ items }) => {
      tell('The event is sent.')
      onClose()
      await refresh(client, ['events', 'list'])
      if (items[0]) onSent(items[0].position)
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    try {
      const data = form.data.trim() === '' ? undefined : (JSON.parse(form.data) as Json)
      setWrong(undefined)
      const subject = form.subject.trim()
      sending.mutate({ type: form.type.trim(), source: form.source.trim(), ...(subject ? { subject } : {}), data })
    } catch (error) {
      setWrong(error instanceof Error ? error.message : 'This is no JSON.')
    }
  }
  const line = (name: 'type' | 'source' | 'subject', required: boolean, hint: string) => (
    <Field label={name[0]!.toUpperCase() + name.slice(1)} required={required} hint={hint}>
      {control => (
        <input
          {...control}
          value={form[name]}
          required={required}
          maxLength={1024}
          autoComplete="off"
          className={inputClass}
          onChange={e => setForm({ ...form, [name]: e.target.value })}
        />
      )}
    </Field>
  )
  return (
    <Dialog title="Send an event" onClose={onClose} width="w-[32rem]">
      <form onSubmit={submit} className="flex min-h-0 flex-col">
        <DialogBody>
          {line('type', true, 'Such as com.example.order.paid.')}
          {line('source', true, 'A URI reference: where the event comes from.')}
          {line('subject', false, 'What it is about; may stay empty.')}
          <Field label="Data" hint="JSON; may stay empty." error={wrong}>
            {control => (
              <textarea
                {...control}
                value={form.data}
                rows={6}
                spellCheck={false}
                className={`${inputClass} font-mono`}
                onChange={e => setForm({ ...form, data: e.target.value })}
              />
            )}
          </Field>
          {Boolean(sending.error) && <ProblemView error={sending.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Go back</Button>
          <Button look="solid" type="submit" disabled={sending.isPending}>
            {sending.isPending ? 'Sending…' : 'Send'}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

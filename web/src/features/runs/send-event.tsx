import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import type { Json, Waiting } from '~/lib/api'
import { sendEvent } from './api'

type Wanted = NonNullable<Waiting['events']>

/** Sends by hand an event that a run waits for. */
export function SendEvent({ wanted }: { wanted: Wanted }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <button type="button" onClick={() => setOpen(true)} className="text-xs text-accent hover:underline">
        send an event
      </button>
      {open && <SendEventDialog wanted={wanted} onClose={() => setOpen(false)} />}
    </>
  )
}

function SendEventDialog({ wanted, onClose }: { wanted: Wanted; onClose: () => void }) {
  const first = wanted[0]
  const [type, setType] = useState(first?.type ?? '')
  const [source, setSource] = useState(first?.source ?? '/millrace/page')
  const [text, setText] = useState('{}')
  const [wrong, setWrong] = useState<string>()
  // The same id however often it is sent, so that a second press sends no second event.
  const [id] = useState(() => crypto.randomUUID())
  const { tell } = useNotices()
  const sending = useMutation({
    mutationFn: (data: Json | undefined) => sendEvent({ id, type, source, data }),
    onSuccess: () => {
      tell('The event is sent.')
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    try {
      const data = text.trim() === '' ? undefined : (JSON.parse(text) as Json)
      setWrong(undefined)
      sending.mutate(data)
    } catch (error) {
      setWrong(error instanceof Error ? error.message : 'This is no JSON.')
    }
  }
  return (
    <Dialog title="Send an event" onClose={onClose} width="w-[32rem]">
      <form onSubmit={submit}>
        <DialogBody>
          <p>Every run of the workspace that listens for it hears it.</p>
          <Field label="Type" required>
            {props => (
              <input {...props} value={type} required className={inputClass} onChange={e => setType(e.target.value)} />
            )}
          </Field>
          <Field label="Source" required hint="A URI reference: where the event comes from.">
            {props => (
              <input
                {...props}
                value={source}
                required
                className={inputClass}
                onChange={e => setSource(e.target.value)}
              />
            )}
          </Field>
          <Field label="Data" hint="JSON; may stay empty." error={wrong}>
            {props => (
              <textarea
                {...props}
                value={text}
                rows={6}
                spellCheck={false}
                className={`${inputClass} font-mono`}
                onChange={e => setText(e.target.value)}
              />
            )}
          </Field>
          {Boolean(sending.error) && <ProblemView error={sending.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Go back</Button>
          <Button look="solid" type="submit" disabled={sending.isPending}>
            Send
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import type { Json, Waiting } from '~/lib/api'
import { sendEvent } from '~/lib/events'
import { sendSignal } from './api'

interface SendEventProps {
  run: string
  wanted: NonNullable<Waiting['events']>
}

/** Sends by hand an event that a run waits for: a signal to it alone, or an event for everybody. */
export function SendEvent(props: SendEventProps) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <button type="button" onClick={() => setOpen(true)} className="min-h-6 text-xs text-accent hover:underline">
        send a signal
      </button>
      {open && <SendEventDialog {...props} onClose={() => setOpen(false)} />}
    </>
  )
}

/** A signal has a source of its own, so a run that asks for another one does not hear it. */
const hearsSignals = (wanted: SendEventProps['wanted']) => wanted.length === 0 || wanted.some(event => !event.source)

/** @param wanted What the run listens for; where nothing is known of that, the type is free. */
export function SendEventDialog({ run, wanted, onClose }: SendEventProps & { onClose: () => void }) {
  const first = wanted.find(event => !event.source) ?? wanted[0]
  const [alone, setAlone] = useState(hearsSignals(wanted))
  const [type, setType] = useState(first?.type ?? '')
  const [source, setSource] = useState(first?.source ?? '/millrace/page')
  const [text, setText] = useState('{}')
  const [wrong, setWrong] = useState<string>()
  // The same id however often it is sent, so that a second press sends no second event; another text is another event.
  const [sent] = useState(() => new Map<string, string>())
  const { tell } = useNotices()
  const sending = useMutation({
    mutationFn: async (data: Json | undefined) => {
      const what = JSON.stringify([alone, type, source, data])
      const id = sent.get(what) ?? crypto.randomUUID()
      sent.set(what, id)
      if (alone) await sendSignal(run, id, type, data)
      else await sendEvent({ id, type, source, data })
    },
    onSuccess: () => {
      tell(alone ? 'The signal is sent.' : 'The event is sent.')
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
    <Dialog title={alone ? 'Send a signal' : 'Send an event'} onClose={onClose} width="w-[32rem]">
      <form onSubmit={submit}>
        <DialogBody>
          <Hearers alone={alone} fits={hearsSignals(wanted)} onChange={setAlone} />
          <Field label="Type" required>
            {props => (
              <input {...props} value={type} required className={inputClass} onChange={e => setType(e.target.value)} />
            )}
          </Field>
          {!alone && (
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
          )}
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

interface HearersProps {
  alone: boolean
  /** Whether the run listens for something that a signal can be. */
  fits: boolean
  onChange: (alone: boolean) => void
}

function Hearers({ alone, fits, onChange }: HearersProps) {
  return (
    <fieldset className="flex flex-col gap-1">
      <legend className="font-medium">Who hears it</legend>
      <label className="flex min-h-6 items-center gap-2">
        <input type="radio" name="hearers" checked={alone} disabled={!fits} onChange={() => onChange(true)} />
        This run alone
      </label>
      <label className="flex min-h-6 items-center gap-2">
        <input type="radio" name="hearers" checked={!alone} onChange={() => onChange(false)} />
        Every run of the workspace that listens for it
      </label>
      {!fits && <p className="text-xs text-soft">The run asks for a source, which a signal does not have.</p>}
    </fieldset>
  )
}

import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import type { Wish } from './api'

const questions = {
  cancellation: {
    title: 'Cancel this run?',
    text: 'Work in progress is stopped and the run ends as cancelled. The wish cannot be taken back; the run can be started again.',
    confirm: 'Cancel the run',
    look: 'danger',
  },
  suspension: {
    title: 'Suspend this run?',
    text: 'No further step begins until the run is resumed. Timers go on and fire when it is.',
    confirm: 'Suspend the run',
    look: 'solid',
  },
} as const

interface ControlDialogProps {
  what: keyof typeof questions
  pending: boolean
  error: unknown
  onConfirm: (wish: Wish) => void
  onClose: () => void
}

/** Asks before a run is cancelled or suspended, and what is to be said with the wish. */
export function ControlDialog({ what, pending, error, onConfirm, onClose }: ControlDialogProps) {
  const [reason, setReason] = useState('')
  const [cleanUp, setCleanUp] = useState(true)
  const { title, text, confirm, look } = questions[what]
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onConfirm({ reason: reason.trim(), cleanUp })
  }
  return (
    <Dialog title={title} onClose={onClose} width="w-[28rem]">
      <form onSubmit={submit}>
        <DialogBody>
          <p>{text}</p>
          {what === 'cancellation' && <CleanUp on={cleanUp} onChange={setCleanUp} />}
          <Field label="Reason" hint="Kept with the run; may stay empty.">
            {props => (
              <input
                {...props}
                value={reason}
                maxLength={500}
                autoComplete="off"
                className={inputClass}
                onChange={e => setReason(e.target.value)}
              />
            )}
          </Field>
          {Boolean(error) && <ProblemView error={error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Go back</Button>
          <Button look={look} type="submit" disabled={pending}>
            {confirm}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function CleanUp({ on, onChange }: { on: boolean; onChange: (on: boolean) => void }) {
  return (
    <div className="flex flex-col gap-1">
      <label className="flex items-center gap-2 font-medium">
        <input
          type="checkbox"
          checked={on}
          onChange={e => onChange(e.target.checked)}
          aria-describedby="clean-up"
          className="size-4 accent-(--color-accent)"
        />
        Clean up
      </label>
      <p id="clean-up" className="text-xs text-soft">
        {on
          ? 'Before it ends, completed steps whose definition says how (compensate) are undone, the last one first.'
          : 'Nothing is undone, and what is being undone already stops.'}
      </p>
    </div>
  )
}

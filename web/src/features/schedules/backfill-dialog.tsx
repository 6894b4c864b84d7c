import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import { refresh } from '~/lib/refresh'
import { localZone } from '~/lib/time'
import { backfillSchedule } from './api'
import type { Schedule } from './schedule'
import { backfillText, checkSpan } from './schedule-model'

/** Starts a run for each tick of a time that has started none. */
export function BackfillDialog({ schedule, onClose }: { schedule: Schedule; onClose: () => void }) {
  const client = useQueryClient()
  const { tell } = useNotices()
  const [span, setSpan] = useState({ from: '', to: '' })
  const [asked, setAsked] = useState(false)
  const errors = checkSpan(span)
  const fill = useMutation({
    mutationFn: () => backfillSchedule(schedule, new Date(span.from).toISOString(), new Date(span.to).toISOString()),
    onSuccess: async done => {
      tell(backfillText(done))
      onClose()
      await refresh(client, ['schedules'])
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setAsked(true)
    if (!errors.from && !errors.to) fill.mutate()
  }
  return (
    <Dialog title="Make up for a time" onClose={onClose} width="w-[28rem]">
      <form onSubmit={submit} noValidate>
        <DialogBody>
          <p>
            Each tick of this time that has started no run starts one now, all at once and whatever the overlap; at most
            1,000.
          </p>
          {(['from', 'to'] as const).map(end => (
            <Field
              key={end}
              label={end === 'from' ? 'From' : 'To'}
              hint={`${localZone} time; a tick at this very moment counts.`}
              error={asked ? errors[end] : undefined}
            >
              {control => (
                <input
                  {...control}
                  type="datetime-local"
                  step={1}
                  value={span[end]}
                  className={`${inputClass} tabular`}
                  onChange={e => setSpan({ ...span, [end]: e.target.value })}
                />
              )}
            </Field>
          ))}
          {fill.isError && <ProblemView error={fill.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Go back</Button>
          <Button look="solid" type="submit" disabled={fill.isPending}>
            {fill.isPending ? 'Starting…' : 'Start the runs'}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

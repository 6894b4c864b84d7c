import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNotices } from '~/components/ui/notices'
import type { Schedule } from './schedule'
import { pauseSchedule } from './api'

/** Whether the schedule starts runs. */
export function PauseSwitch({ schedule }: { schedule: Schedule }) {
  const client = useQueryClient()
  const { tell, refuse } = useNotices()
  const change = useMutation({
    mutationFn: (paused: boolean) => pauseSchedule(schedule, paused),
    onSuccess: async ({ paused, name }) => {
      tell(paused ? `${name} is paused.` : `${name} goes on from now.`)
      await client.invalidateQueries({ queryKey: ['schedules'] })
    },
    onError: refuse,
  })
  const active = change.isPending ? !change.variables : !schedule.paused
  return (
    <button
      type="button"
      role="switch"
      aria-checked={active}
      aria-label={`${schedule.namespace}/${schedule.name} is active`}
      disabled={change.isPending}
      onClick={() => change.mutate(!schedule.paused)}
      className={`inline-flex h-6 w-10 items-center rounded-full border p-0.5 transition-colors ${active ? 'border-accent bg-accent' : 'border-edge bg-sunken'}`}
    >
      <span
        aria-hidden
        className={`size-4 rounded-full transition-transform ${active ? 'translate-x-4 bg-accent-ink' : 'bg-soft'}`}
      />
    </button>
  )
}

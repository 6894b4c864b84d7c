import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNotices } from '~/components/ui/notices'
import { ActiveSwitch } from './active-switch'
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
    <ActiveSwitch
      name={`${schedule.namespace}/${schedule.name}`}
      active={active}
      pending={change.isPending}
      onToggle={() => change.mutate(!schedule.paused)}
    />
  )
}

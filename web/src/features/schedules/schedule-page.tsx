import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Activity, CalendarRange, FileCode2, Play } from 'lucide-react'
import { useState } from 'react'
import { JsonView } from '~/components/json/json-view'
import { Button, buttonClass } from '~/components/ui/button'
import { EmptyState, Loading, ProblemView } from '~/components/ui/feedback'
import { useNotices } from '~/components/ui/notices'
import { PageHeader, Panel, Trail, usePageTitle } from '~/components/ui/page'
import { StateLabel } from '~/components/ui/state'
import type { Schedule, ScheduleDetail } from './schedule'
import { shortId } from '~/lib/ids'
import { formatDuration, formatMoment, formatRelative, formatTime, spanMs, useNow, localZone } from '~/lib/time'
import { scheduleQuery, triggerSchedule } from './api'
import { BackfillDialog } from './backfill-dialog'
import { PauseSwitch } from './pause-switch'
import { nextText, timesText } from './schedule-model'

export function SchedulePage({ namespace, name }: { namespace: string; name: string }) {
  usePageTitle(`Schedule of ${namespace}/${name}`)
  const detail = useQuery(scheduleQuery(namespace, name))
  if (detail.isPending) return <Loading what="the schedule" />
  if (detail.isError) return <ProblemView error={detail.error} retry={() => void detail.refetch()} />
  const { schedule } = detail.data
  return (
    <>
      <ScheduleHeader schedule={schedule} />
      <div className="grid gap-px border-b border-line bg-line md:grid-cols-[minmax(0,1fr)_minmax(0,20rem)]">
        <Runs detail={detail.data} />
        <div className="flex flex-col gap-px">
          <Coming detail={detail.data} />
          <Panel title="Input of its runs">
            <JsonView value={schedule.input} label="input of its runs" />
          </Panel>
        </div>
      </div>
    </>
  )
}

function ScheduleHeader({ schedule }: { schedule: Schedule }) {
  const now = useNow('slow')
  const { namespace, name, version, catchUp, jitter, skipped, error, nextAt } = schedule
  const facts = [
    `overlap: ${schedule.overlap}`,
    `catch up: ${catchUp.mode} within ${catchUp.window}`,
    ...(jitter ? [`jitter: ${jitter}`] : []),
    `${skipped} skipped`,
  ]
  return (
    <PageHeader
      trail={<Trail to="/schedules">Schedules</Trail>}
      title={
        <span className="font-mono text-lg font-medium break-all">
          <span className="text-soft">{namespace}/</span>
          {name} <span className="text-sm font-normal text-soft">{version}</span>
        </span>
      }
      actions={<Actions schedule={schedule} />}
    >
      <div className="flex flex-wrap items-center gap-x-5 gap-y-1">
        <span className="inline-flex items-center gap-2">
          <PauseSwitch schedule={schedule} />
          {schedule.paused ? 'paused' : 'active'}
        </span>
        <code className="font-mono text-sm">{timesText(schedule)}</code>
        <span className="tabular text-sm" title={nextAt ? formatMoment(nextAt) : undefined}>
          next: {nextText(schedule, now)}
        </span>
      </div>
      <p className="text-xs text-soft">{facts.join(' · ')}</p>
      {error && <p className="text-faulted">{error}</p>}
    </PageHeader>
  )
}

function Actions({ schedule }: { schedule: Schedule }) {
  const { namespace, name } = schedule
  const [filling, setFilling] = useState(false)
  const client = useQueryClient()
  const { tell, refuse } = useNotices()
  const trigger = useMutation({
    mutationFn: () => triggerSchedule(schedule),
    onSuccess: async run => {
      tell(`Run ${shortId(run.id)} begins.`)
      await client.invalidateQueries({ queryKey: ['schedules'] })
    },
    onError: refuse,
  })
  return (
    <>
      <Link to="/definitions/$namespace/$name" params={{ namespace, name }} className={buttonClass()}>
        <FileCode2 size={14} aria-hidden /> Definition
      </Link>
      <Link to="/runs" search={{ definition: `${namespace}/${name}` }} className={buttonClass()}>
        <Activity size={14} aria-hidden /> Runs
      </Link>
      {!schedule.times.after && (
        <Button onClick={() => setFilling(true)}>
          <CalendarRange size={14} aria-hidden /> Backfill…
        </Button>
      )}
      <Button look="solid" onClick={() => trigger.mutate()} disabled={trigger.isPending}>
        <Play size={14} aria-hidden /> Run now
      </Button>
      {filling && <BackfillDialog schedule={schedule} onClose={() => setFilling(false)} />}
    </>
  )
}

function Runs({ detail }: { detail: ScheduleDetail }) {
  const now = useNow('slow')
  return (
    <Panel title="Runs of its latest ticks">
      {detail.runs.length === 0 && <EmptyState title="No run yet">The first begins at its next time.</EmptyState>}
      <ul className="divide-y divide-line">
        {detail.runs.map(run => (
          <li key={run.run}>
            <Link
              to="/runs/$runId"
              params={{ runId: run.run }}
              className="flex flex-wrap items-baseline gap-x-4 gap-y-0.5 px-4 py-2 -outline-offset-2 hover:bg-accent-wash"
            >
              <span className="w-26">
                <StateLabel state={run.state} />
              </span>
              <span className="tabular min-w-0 flex-1 font-mono text-xs">{formatTime(run.at, now)}</span>
              <code className="font-mono text-xs text-soft">{shortId(run.run)}</code>
              <span className="tabular w-16 text-right font-mono text-xs text-soft">
                {run.endedAt ? formatDuration(spanMs(run.createdAt, run.endedAt, now) ?? 0) : '–'}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Coming({ detail }: { detail: ScheduleDetail }) {
  const now = useNow('slow')
  return (
    <Panel title="Next ticks" actions={<span className="text-xs text-soft">{localZone} time</span>}>
      {detail.next.length === 0 && <p className="px-4 py-3 text-soft">{nextText(detail.schedule, now)}</p>}
      <ol className="divide-y divide-line">
        {detail.next.map(({ tick, at }) => (
          <li key={tick} className="flex items-baseline justify-between gap-3 px-4 py-1.5">
            <span
              className="tabular font-mono text-xs"
              title={at === tick ? undefined : `begins ${formatTime(at, now)}`}
            >
              {formatTime(tick, now)}
            </span>
            <span className="text-xs text-soft">{formatRelative(at, now)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  )
}

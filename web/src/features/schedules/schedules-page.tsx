import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CalendarClock } from 'lucide-react'
import { EmptyState, Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import { buttonClass } from '~/components/ui/button'
import { PageHeader, usePageTitle } from '~/components/ui/page'
import { StateLabel } from '~/components/ui/state'
import type { Schedule } from './schedule'
import { formatMoment, formatRelative, useNow } from '~/lib/time'
import { schedulesQuery, triggersQuery } from './api'
import { PauseSwitch } from './pause-switch'
import { nextText, timesText } from './schedule-model'
import { Triggers } from './trigger-table'

const columns = 'md:grid-cols-[minmax(0,1.4fr)_minmax(0,1.2fr)_9rem_10rem_5.5rem]'

export function SchedulesPage() {
  usePageTitle('Schedules')
  const list = useInfiniteQuery(schedulesQuery)
  const items = list.data?.pages.flatMap(p => p.items) ?? []
  const triggers = useInfiniteQuery(triggersQuery)
  const nothing = items.length === 0 && triggers.isSuccess && triggers.data.pages.every(p => p.items.length === 0)
  return (
    <>
      <PageHeader title="Schedules" />
      {list.isPending && <Loading what="the schedules" />}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && nothing && <NoSchedule />}
      {items.length > 0 && <ScheduleTable items={items} />}
      <LoadMore list={list} />
      <Triggers />
    </>
  )
}

function ScheduleTable({ items }: { items: readonly Schedule[] }) {
  return (
    <div role="table" aria-label="Schedules" className="bg-surface">
      <div role="rowgroup" className="hidden border-b border-line md:block">
        <div role="row" className={`label gap-x-4 px-6 py-1.5 md:grid ${columns}`}>
          <span role="columnheader">Definition</span>
          <span role="columnheader">Schedule</span>
          <span role="columnheader">Next</span>
          <span role="columnheader">Last run</span>
          <span role="columnheader">Active</span>
        </div>
      </div>
      <div role="rowgroup" className="divide-y divide-line border-b border-line">
        {items.map(item => (
          <ScheduleRow key={item.id} schedule={item} />
        ))}
      </div>
    </div>
  )
}

function ScheduleRow({ schedule }: { schedule: Schedule }) {
  const now = useNow('slow')
  const { namespace, name, lastRun, nextAt } = schedule
  return (
    <div
      role="row"
      className={`relative grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 px-4 py-2.5 hover:bg-accent-wash md:px-6 md:py-1.5 ${columns}`}
    >
      <span role="cell" className="min-w-0 font-mono text-sm break-words md:truncate">
        <Link
          to="/schedules/$namespace/$name"
          params={{ namespace, name }}
          className="after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
        >
          <span className="text-soft">{namespace}/</span>
          <span className="font-medium">{name}</span>
        </Link>
      </span>
      <span role="cell" className="order-2 min-w-0 truncate font-mono text-xs text-soft md:order-none">
        {timesText(schedule)}
      </span>
      <span
        role="cell"
        className="tabular order-2 text-right text-xs md:order-none md:text-left"
        title={nextAt ? formatMoment(nextAt) : undefined}
      >
        {nextText(schedule, now)}
      </span>
      <span role="cell" className="order-3 flex items-baseline gap-2 text-xs md:order-none">
        {lastRun ? (
          <>
            <StateLabel state={lastRun.state} />
            <span className="text-soft" title={formatMoment(lastRun.createdAt)}>
              {formatRelative(lastRun.createdAt, now)}
            </span>
          </>
        ) : (
          <span className="text-soft">no run yet</span>
        )}
      </span>
      {/* Above the link that covers the row. */}
      <span role="cell" className="relative z-1 order-1 justify-self-end md:order-none md:justify-self-start">
        <PauseSwitch schedule={schedule} />
      </span>
    </div>
  )
}

function NoSchedule() {
  return (
    <EmptyState title="No schedule yet" icon={<CalendarClock size={28} aria-hidden />}>
      <p>
        A definition whose document has a <code className="font-mono">schedule</code>, such as{' '}
        <code className="font-mono">cron: 0 8 * * *</code>, starts runs by itself and stands here, as does one that
        events start: <code className="font-mono">schedule.on</code>.
      </p>
      <Link to="/definitions/new" className={buttonClass('solid')}>
        Write a definition
      </Link>
    </EmptyState>
  )
}

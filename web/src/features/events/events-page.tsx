import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Radio, Send } from 'lucide-react'
import { useState } from 'react'
import { Button } from '~/components/ui/button'
import { EmptyState, Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import { PageHeader, usePageTitle } from '~/components/ui/page'
import { formatMoment, formatRelative, useNow } from '~/lib/time'
import { eventsQuery } from './api'
import type { EventFilter, WorkspaceEvent } from './event'
import { EventFilters } from './event-filters'
import { SendDialog } from './send-dialog'

const columns = 'md:grid-cols-[5rem_minmax(0,1.5fr)_minmax(0,1.2fr)_minmax(0,1fr)_8rem]'

interface EventsPageProps {
  filter: EventFilter
  onFilter: (filter: EventFilter) => void
  /** An event was sent and stands there now. */
  onSent: (position: number) => void
}

/** The workspace's log of events, newest first. */
export function EventsPage({ filter, onFilter, onSent }: EventsPageProps) {
  usePageTitle('Events')
  const [sending, setSending] = useState(false)
  const list = useInfiniteQuery(eventsQuery(filter))
  const items = list.data?.pages.flatMap(p => p.items) ?? []
  const filtered = Boolean(filter.type || filter.source)
  return (
    <>
      <PageHeader
        title="Events"
        actions={
          <Button look="solid" onClick={() => setSending(true)}>
            <Send size={14} aria-hidden /> Send an event
          </Button>
        }
      >
        <p className="text-soft">What came in and what runs emitted, as long as it is kept.</p>
        <EventFilters key={`${filter.type} ${filter.source}`} filter={filter} onFilter={onFilter} />
      </PageHeader>
      {list.isPending && <Loading what="the events" rows={10} />}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && <Nothing filtered={filtered} onAll={() => onFilter({})} />}
      {items.length > 0 && <EventTable items={items} />}
      <LoadMore list={list} />
      {sending && <SendDialog filter={filter} onSent={onSent} onClose={() => setSending(false)} />}
    </>
  )
}

function Nothing({ filtered, onAll }: { filtered: boolean; onAll: () => void }) {
  const icon = <Radio size={28} aria-hidden />
  if (filtered)
    return (
      <EmptyState title="No event matches the filter" icon={icon}>
        <p>A type and a source are compared as a whole.</p>
        <Button onClick={onAll}>Show all events</Button>
      </EmptyState>
    )
  return (
    <EmptyState title="No event yet" icon={icon}>
      <p>
        CloudEvents that are sent to <code className="font-mono">/api/v1/events</code> and those of{' '}
        <code className="font-mono">emit</code> tasks stand here; runs that listen hear them.
      </p>
    </EmptyState>
  )
}

function EventTable({ items }: { items: readonly WorkspaceEvent[] }) {
  return (
    <div role="table" aria-label="Events" className="bg-surface">
      <div role="rowgroup" className="hidden border-b border-line md:block">
        <div role="row" className={`label gap-x-4 px-6 py-1.5 md:grid ${columns}`}>
          <span role="columnheader">Event</span>
          <span role="columnheader">Type</span>
          <span role="columnheader">Source</span>
          <span role="columnheader">Subject</span>
          <span role="columnheader" className="text-right">
            Received
          </span>
        </div>
      </div>
      <div role="rowgroup" className="divide-y divide-line border-b border-line">
        {items.map(item => (
          <EventRow key={item.position} event={item} />
        ))}
      </div>
    </div>
  )
}

function EventRow({ event }: { event: WorkspaceEvent }) {
  const now = useNow('slow')
  const { position, type, source, subject, receivedAt, run } = event
  return (
    <div
      role="row"
      className={`relative flex flex-wrap items-baseline gap-x-4 gap-y-0.5 px-4 py-2.5 hover:bg-accent-wash md:grid md:px-6 md:py-2 ${columns}`}
    >
      <span role="cell" className="tabular font-mono text-xs text-soft">
        {position}
      </span>
      <span role="cell" className="order-first w-full min-w-0 font-mono break-words md:order-none md:w-auto">
        <Link
          to="/events/$position"
          params={{ position: String(position) }}
          className="font-medium after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
        >
          {type}
          <span className="sr-only left-0">, event {position}</span>
        </Link>
        {run && <span className="ml-2 font-sans text-xs text-soft">signal to one run</span>}
      </span>
      <span role="cell" className="min-w-0 font-mono text-xs wrap-anywhere text-soft">
        {source}
      </span>
      <span role="cell" className="min-w-0 text-xs wrap-anywhere">
        {subject}
      </span>
      <span role="cell" className="ml-auto text-xs text-soft md:text-right" title={formatMoment(receivedAt)}>
        {formatRelative(receivedAt, now)}
      </span>
    </div>
  )
}

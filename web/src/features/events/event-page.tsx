import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { JsonView } from '~/components/json/json-view'
import { EmptyState, Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import { PageHeader, Panel, Trail, usePageTitle } from '~/components/ui/page'
import { StateLabel } from '~/components/ui/state'
import { shortId } from '~/lib/ids'
import { formatMoment, formatRelative, useNow } from '~/lib/time'
import { eventQuery, eventRunsQuery } from './api'
import type { WorkspaceEvent } from './event'

/** One event: its envelope, and who heard it. */
export function EventPage({ position }: { position: number }) {
  usePageTitle(`Event ${position}`)
  const found = useQuery(eventQuery(position))
  if (found.isPending) return <Loading what="the event" />
  if (found.isError) return <ProblemView error={found.error} retry={() => void found.refetch()} />
  return (
    <>
      <EventHeader event={found.data} />
      <div className="grid gap-px border-b border-line bg-line md:grid-cols-[minmax(0,1fr)_minmax(0,24rem)]">
        <Panel title="Envelope">
          <JsonView value={found.data.event ?? null} label="event" />
        </Panel>
        <Hearers event={found.data} />
      </div>
    </>
  )
}

function EventHeader({ event }: { event: WorkspaceEvent }) {
  const now = useNow('slow')
  const { position, type, source, subject, receivedAt, size } = event
  return (
    <PageHeader
      trail={<Trail to="/events">Events</Trail>}
      title={<span className="font-mono text-lg font-medium wrap-anywhere">{type}</span>}
    >
      <p className="flex flex-wrap gap-x-5 gap-y-1 text-xs text-soft">
        <span className="tabular">event {position}</span>
        <span className="wrap-anywhere">from {source}</span>
        {subject && <span className="wrap-anywhere">about {subject}</span>}
        <span title={formatMoment(receivedAt)}>received {formatRelative(receivedAt, now)}</span>
        <span className="tabular">{size} bytes</span>
      </p>
      <p className="flex flex-wrap gap-x-4">
        <Link to="/events" search={{ type }} className="inline-flex min-h-6 items-center text-accent hover:underline">
          events of this type
        </Link>
        <Link to="/events" search={{ source }} className="inline-flex min-h-6 items-center text-accent hover:underline">
          events from this source
        </Link>
      </p>
    </PageHeader>
  )
}

function Hearers({ event }: { event: WorkspaceEvent }) {
  const list = useInfiniteQuery(eventRunsQuery(event.position))
  const items = list.data?.pages.flatMap(p => p.items) ?? []
  return (
    <Panel title="Who heard it">
      {event.run && (
        <p className="px-4 py-2 text-soft">
          A signal: only{' '}
          <Link to="/runs/$runId" params={{ runId: event.run }} className="text-accent hover:underline">
            run {shortId(event.run)}
          </Link>{' '}
          is told.
        </p>
      )}
      {list.isPending && <Loading what="who heard it" rows={3} />}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && (
        <EmptyState title="Nobody yet">No run was started by it, and none that listened has taken it.</EmptyState>
      )}
      <ul aria-label="Who heard it" className="divide-y divide-line">
        {items.map(({ run, started }) => (
          <li key={run.id}>
            <Link
              to="/runs/$runId"
              params={{ runId: run.id }}
              className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 px-4 py-2 -outline-offset-2 hover:bg-accent-wash"
            >
              <span className="w-26">
                <StateLabel state={run.state} />
              </span>
              <span className="min-w-0 flex-1 font-mono text-xs wrap-anywhere">
                {run.definition.namespace}/{run.definition.name}
              </span>
              <span className="text-xs text-soft">{started ? 'started by it' : 'listened'}</span>
              <code className="font-mono text-xs text-soft">{shortId(run.id)}</code>
            </Link>
          </li>
        ))}
      </ul>
      <LoadMore list={list} />
    </Panel>
  )
}

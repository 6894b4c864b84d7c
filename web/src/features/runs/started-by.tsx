import { Link } from '@tanstack/react-router'
import { CalendarClock, Radio } from 'lucide-react'
import type { Run } from '~/lib/api'
import { formatTime } from '~/lib/time'

const look = 'inline-flex min-h-6 items-center gap-1 text-xs text-accent hover:underline'

/** What started the run, unless the line says it already: a parent, or the run that it is a fork of. */
export function StartedBy({ run }: { run: Run }) {
  const { namespace, name } = run.definition
  if (run.trigger)
    return (
      <Link to="/schedules/$namespace/$name" params={{ namespace, name }} className={look}>
        <CalendarClock size={13} aria-hidden /> scheduled for {formatTime(run.trigger.at)}
      </Link>
    )
  const by = run.startedBy
  const last = by?.events?.at(-1)
  if (last)
    return (
      <Link to="/events/$position" params={{ position: String(last.position) }} className={look}>
        <Radio size={13} aria-hidden /> started by {last.type}
        {(by?.count ?? 1) > 1 && ` and ${by!.count! - 1} more`}
      </Link>
    )
  return by?.by === 'caller' ? <span className="text-xs text-soft">started by a caller</span> : null
}

/** The events that started a run, as a list. */
export function StartingEvents({ run }: { run: Run }) {
  const { count = 0, events } = run.startedBy ?? {}
  if (!events || events.length === 0) return null
  return (
    <section aria-label="Started by" className="border-b border-line px-4 py-2">
      <h3 className="label">Started by</h3>
      <ul className="text-xs">
        {events.map(({ position, id, type, source }) => (
          <li key={position} className="flex flex-wrap items-center gap-x-4">
            <Link to="/events/$position" params={{ position: String(position) }} className={`${look} font-mono`}>
              {type}
            </Link>
            <span className="wrap-anywhere">from {source}</span>
            <span className="font-mono wrap-anywhere text-soft">{id}</span>
          </li>
        ))}
      </ul>
      {(count ?? 0) > events.length && <p className="text-xs text-soft">and {count! - events.length} before them</p>}
    </section>
  )
}

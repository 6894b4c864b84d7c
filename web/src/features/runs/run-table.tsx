import { Link } from '@tanstack/react-router'
import { CornerDownRight } from 'lucide-react'
import { StateLabel } from '~/components/ui/state'
import { isFinished, type Run } from '~/lib/api'
import { shortId } from '~/lib/ids'
import { formatDuration, formatMoment, formatRelative, spanMs, useNow } from '~/lib/time'

const columns =
  'md:grid md:grid-cols-[7.5rem_minmax(0,1.4fr)_7rem_minmax(0,1fr)_6.5rem_6.5rem] md:items-center md:gap-x-4'

export function RunTable({ runs }: { runs: readonly Run[] }) {
  return (
    <div role="table" aria-label="Runs" className="bg-surface">
      <div role="rowgroup" className="sticky top-0 z-10 hidden border-b border-line bg-surface md:block">
        <div role="row" className={`label px-6 py-1.5 ${columns}`}>
          <span role="columnheader">State</span>
          <span role="columnheader">Definition</span>
          <span role="columnheader">Run</span>
          <span role="columnheader">Steps</span>
          <span role="columnheader" className="text-right">
            Duration
          </span>
          <span role="columnheader" className="text-right">
            Created
          </span>
        </div>
      </div>
      <div role="rowgroup" className="divide-y divide-line border-b border-line">
        {runs.map(run => (
          <RunRow key={run.id} run={run} />
        ))}
      </div>
    </div>
  )
}

function RunRow({ run }: { run: Run }) {
  const { namespace, name, version } = run.definition
  return (
    <div
      role="row"
      className={`relative flex flex-wrap gap-x-4 gap-y-0.5 px-4 py-2 hover:bg-accent-wash md:px-6 md:py-1.5 ${columns}`}
    >
      <span role="cell" className="flex w-26 md:w-auto">
        <StateLabel state={run.state} />
      </span>
      <span
        role="cell"
        className="order-first w-full min-w-0 font-mono break-words md:order-none md:w-auto md:truncate"
      >
        {/* The link covers the row: one target, and the text can still be selected by keyboard. */}
        <Link
          to="/runs/$runId"
          params={{ runId: run.id }}
          className="after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
        >
          <span className="text-soft">{namespace}/</span>
          <span className="font-medium">{name}</span>
          {/* What is cut off must not lie where it would have stood, or the room scrolls sideways. */}
          <span className="sr-only left-0">, run {shortId(run.id)}</span>
        </Link>
        <span className="ml-2 text-xs text-soft">{version}</span>
      </span>
      <span
        role="cell"
        className="order-2 inline-flex items-center gap-1 font-mono text-xs text-soft md:order-none"
        title={run.id}
      >
        {run.parent && <CornerDownRight size={11} aria-label="child run" />}
        {shortId(run.id)}
      </span>
      <span role="cell" className="order-2 min-w-0 flex-1 truncate text-right md:order-none md:text-left">
        <Outcome run={run} />
      </span>
      <Times run={run} />
      <span aria-hidden className="order-1 basis-full md:hidden" />
    </div>
  )
}

/** What stands out: the error, the reason, or how far it is. */
function Outcome({ run }: { run: Run }) {
  if (run.error) return <span className="text-faulted">{run.error.title ?? run.error.detail ?? run.error.type}</span>
  if (run.reason && (run.state === 'cancelled' || run.state === 'suspended'))
    return <span className="text-soft">{run.reason}</span>
  const { completed, skipped, started } = run.steps
  // A run's row is counted when its state changes; until then nothing is known, and "0 of 0" would be said of a run full of steps.
  if (started === 0) return null
  return (
    <span className="tabular text-soft">
      {completed + skipped} of {started}
      {run.steps.faulted > 0 && ` · ${run.steps.faulted} faulted`}
    </span>
  )
}

function Times({ run }: { run: Run }) {
  const now = useNow(isFinished(run.state) ? 'slow' : 'fast')
  const span = spanMs(run.startedAt ?? run.createdAt, run.endedAt, now)
  return (
    <>
      <span role="cell" className="tabular order-1 font-mono text-xs md:order-none md:text-right">
        {span === null ? '–' : formatDuration(span)}
      </span>
      <span
        role="cell"
        className="order-1 ml-auto text-xs text-soft md:order-none md:text-right"
        title={formatMoment(run.createdAt)}
      >
        {formatRelative(run.createdAt, now)}
      </span>
    </>
  )
}

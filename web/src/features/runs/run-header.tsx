import { Link } from '@tanstack/react-router'
import { CornerLeftUp, Gauge, GitFork, Link2, MailX } from 'lucide-react'
import type { ReactNode } from 'react'
import { CopyButton } from '~/components/ui/copy-button'
import { PageHeader, Trail } from '~/components/ui/page'
import { StateLabel } from '~/components/ui/state'
import { isFinished, type Run } from '~/lib/api'
import { shortId } from '~/lib/ids'
import { formatDuration, formatMoment, formatRelative, formatTime, spanMs, useNow } from '~/lib/time'
import { StartedBy } from './started-by'

export function RunHeader({ run, actions }: { run: Run; actions: ReactNode }) {
  const { namespace, name, version } = run.definition
  return (
    <PageHeader
      trail={<Trail to="/runs">Runs</Trail>}
      title={
        <span className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
          <Link
            to="/definitions/$namespace/$name"
            params={{ namespace, name }}
            search={{ version }}
            className="font-mono text-lg font-medium break-all hover:underline"
          >
            <span className="text-soft">{namespace}/</span>
            {name}
          </Link>
          <span className="font-mono text-sm font-normal text-soft">{version}</span>
        </span>
      }
      actions={actions}
    >
      <div className="flex flex-wrap items-center gap-x-5 gap-y-1">
        {/* Announced when it changes. */}
        <span role="status" aria-label="State of the run" className="flex">
          <StateLabel state={run.state} large />
        </span>
        <Times run={run} />
        <span className="inline-flex items-center text-xs text-soft">
          run <code className="ml-1.5 font-mono">{shortId(run.id)}</code>
          <CopyButton text={run.id} label="Copy the run's id" />
        </span>
        {run.forkOf && (
          <Link
            to="/runs/$runId"
            params={{ runId: run.forkOf.run }}
            search={{ tab: 'past', seq: run.forkOf.seq }}
            className="inline-flex items-center gap-1 text-xs text-accent hover:underline"
          >
            <GitFork size={13} aria-hidden /> fork of {shortId(run.forkOf.run)},{' '}
            {run.forkOf.step ? `step ${run.forkOf.step}` : `record ${run.forkOf.seq}`}
          </Link>
        )}
        {run.parent && (
          <Link
            to="/runs/$runId"
            params={{ runId: run.parent.run }}
            search={{ step: run.parent.step }}
            className="inline-flex items-center gap-1 text-xs text-accent hover:underline"
          >
            <CornerLeftUp size={13} aria-hidden /> child of {shortId(run.parent.run)}, step {run.parent.step}
          </Link>
        )}
        {run.continues && <ChainLink run={run.continues} words="goes on for" />}
        {run.continuedBy && <ChainLink run={run.continuedBy} words="goes on as" />}
        <StartedBy run={run} />
        {run.flow && <FlowOf flow={run.flow} />}
        {run.keptUntil && (
          <span className="tabular text-xs text-soft" title={formatMoment(run.keptUntil)}>
            kept until {formatTime(run.keptUntil)}
          </span>
        )}
        {run.deadLetter && (
          <Link to="/workspace" className="inline-flex min-h-6 items-center gap-1 text-xs text-accent hover:underline">
            <MailX size={13} aria-hidden /> in the dead letters
          </Link>
        )}
      </div>
      {run.reason && !run.error && <p className="text-soft">Reason: {run.reason}</p>}
      <Progress run={run} />
    </PageHeader>
  )
}

/** Its priority, where it has one, and the limits that it counts in. */
function FlowOf({ flow: { priority, limits } }: { flow: NonNullable<Run['flow']> }) {
  const kinds = { slot: 'slots', rate: 'starts in a time', quiet: 'quiet before it starts' }
  const told = limits.map(l => `${l.kind === 'quiet' ? '' : `${l.most} `}${kinds[l.kind]}: ${l.name} ${l.key}`.trim())
  return (
    <>
      {priority !== 0 && <span className="tabular text-xs text-soft">priority {priority}</span>}
      {limits.length > 0 && (
        <Link
          to="/workspace"
          title={told.join('\n')}
          aria-label={`Counts in ${told.join(', ')}`}
          className="inline-flex min-h-6 items-center gap-1 text-xs text-accent hover:underline"
        >
          <Gauge size={13} aria-hidden /> {limits.length === 1 ? limits[0]!.name : `${limits.length} limits`}
        </Link>
      )}
    </>
  )
}

function ChainLink({ run, words }: { run: string; words: string }) {
  return (
    <Link
      to="/runs/$runId"
      params={{ runId: run }}
      className="inline-flex items-center gap-1 text-xs text-accent hover:underline"
    >
      <Link2 size={13} aria-hidden /> {words} {shortId(run)}
    </Link>
  )
}

function Times({ run }: { run: Run }) {
  const now = useNow(isFinished(run.state) ? 'slow' : 'fast')
  const from = run.startedAt ?? run.createdAt
  const span = spanMs(from, run.endedAt, now)
  return (
    <>
      <span className="tabular font-mono text-base font-medium" aria-label="Duration">
        {span === null ? '–' : formatDuration(span)}
      </span>
      <span className="text-xs text-soft" title={formatMoment(from)}>
        started {formatRelative(from, now)}
      </span>
      {run.wakeAt && run.state === 'waiting' && (
        <span data-state="waiting" className="tabular text-xs text-(--state)" title={formatMoment(run.wakeAt)}>
          wakes {formatRelative(run.wakeAt, now)}
        </span>
      )}
    </>
  )
}

/** The steps so far, by how they ended; what is open moves. */
function Progress({ run }: { run: Run }) {
  const { started, completed, faulted, skipped, cancelled } = run.steps
  const open = Math.max(0, started - completed - faulted - skipped - cancelled)
  const parts = [
    { state: 'completed', count: completed },
    { state: 'skipped', count: skipped },
    { state: 'faulted', count: faulted },
    { state: 'cancelled', count: cancelled },
    { state: run.state === 'waiting' || run.state === 'suspended' ? run.state : 'running', count: open },
  ].filter(p => p.count > 0)
  const text = `${started} step${started === 1 ? '' : 's'}${parts.length > 0 ? ': ' : ''}${parts.map(p => `${p.count} ${p.state === 'running' ? 'open' : p.state}`).join(', ')}`
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <div aria-hidden className="flex h-1.5 min-w-24 flex-1 gap-px overflow-hidden rounded-full bg-sunken">
        {parts.map(({ state, count }) => (
          <span
            key={state}
            data-state={state}
            style={{ flexGrow: count }}
            className={`min-w-1 ${state === 'running' ? 'race' : 'bg-(--state)'}`}
          />
        ))}
      </div>
      <span className="tabular text-xs text-soft">{text}</span>
    </div>
  )
}

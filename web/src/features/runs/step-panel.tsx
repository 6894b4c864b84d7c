import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { GitBranch, GitFork, Undo2, X } from 'lucide-react'
import { useState } from 'react'
import { JsonView } from '~/components/json/json-view'
import { Button, IconButton } from '~/components/ui/button'
import { Loading, ProblemView } from '~/components/ui/feedback'
import { StateLabel } from '~/components/ui/state'
import { isFinished, type Json, type Run, type Step } from '~/lib/api'
import { shortId } from '~/lib/ids'
import { formatDuration, formatRelative, formatTime, spanMs, useNow } from '~/lib/time'
import { stepQuery } from './api'
import { Attempts, ErrorFacts } from './error-panel'
import { headline } from './error-model'
import { ForkDialog } from './fork-dialog'
import { SpawnPanel } from './spawn-panel'

interface StepPanelProps {
  run: Run
  step: Step
  attempts: readonly Step[]
  onStep: (step: number) => void
  onClose: () => void
}

/** One step: when, how it went, what went in and what came out. */
export function StepPanel({ run, step, attempts, onStep, onClose }: StepPanelProps) {
  const detail = useQuery(stepQuery(run.id, step))
  const [forking, setForking] = useState(false)
  return (
    <aside
      aria-label={`Step ${step.name}`}
      className="flex min-h-0 flex-col border-t border-line bg-surface lg:border-t-0 lg:border-l"
    >
      <header className="flex items-center justify-between gap-2 border-b border-line py-1 pr-1 pl-4">
        <h2 className="min-w-0 font-mono text-sm font-medium break-words">{step.name}</h2>
        <span className="flex shrink-0 items-center gap-1">
          <Button size="sm" onClick={() => setForking(true)}>
            <GitFork size={13} aria-hidden /> Fork from here
          </Button>
          <IconButton label="Close the step" onClick={onClose}>
            <X size={15} />
          </IconButton>
        </span>
      </header>
      <div className="flex min-h-0 flex-1 flex-col overflow-y-auto">
        <Facts step={step} nth={Math.max(step.attempt, attempts.indexOf(step) + 1)} onStep={onStep} />
        {step.spawn && <SpawnPanel run={run.id} runState={run.state} step={step} spawn={step.spawn} />}
        {step.error && (
          <div
            data-state="faulted"
            className="flex flex-col gap-1.5 border-t border-line border-l-4 border-l-(--state) px-3 py-2.5"
          >
            <p className="font-semibold text-(--state)">{headline(step.error)}</p>
            {step.error.detail && step.error.title && (
              <p className="font-mono text-xs break-words">{step.error.detail}</p>
            )}
            <ErrorFacts error={step.error} />
          </div>
        )}
        {attempts.length > 1 && (
          <div className="border-t border-line px-4 py-2.5">
            <Attempts steps={attempts} onStep={onStep} />
          </div>
        )}
        {detail.isError && <ProblemView error={detail.error} retry={() => void detail.refetch()} />}
        {detail.isPending && <Loading what="the step" rows={4} />}
        {detail.data && <Values step={detail.data} />}
      </div>
      {forking && <ForkDialog run={run} place={{ step: step.id }} name={step.name} onClose={() => setForking(false)} />}
    </aside>
  )
}

function Facts({ step, nth, onStep }: { step: Step; nth: number; onStep: (step: number) => void }) {
  const open = !isFinished(step.state)
  const now = useNow(open ? 'fast' : 'slow')
  const span = spanMs(step.startedAt, step.endedAt, now)
  return (
    <div className="flex flex-col gap-1.5 px-4 py-2.5">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <StateLabel state={step.state} />
        <span className="tabular font-mono">{formatDuration(span ?? 0)}</span>
        {nth > 1 && <span className="text-xs">attempt {nth}</span>}
        {typeof step.iteration === 'number' && <span className="text-xs">iteration {step.iteration}</span>}
        {open && step.wakeAt && (
          <span className="tabular text-xs text-waiting">wakes {formatRelative(step.wakeAt, now)}</span>
        )}
      </div>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 text-xs">
        <dt className="text-soft">kind</dt>
        <dd>{step.kind}</dd>
        <dt className="text-soft">task</dt>
        <dd className="font-mono break-all">{step.reference}</dd>
        <dt className="text-soft">started</dt>
        <dd className="tabular font-mono">{formatTime(step.startedAt, now)}</dd>
        {step.endedAt && (
          <>
            <dt className="text-soft">ended</dt>
            <dd className="tabular font-mono">{formatTime(step.endedAt, now)}</dd>
          </>
        )}
      </dl>
      {step.child && (
        <Link
          to="/runs/$runId"
          params={{ runId: step.child }}
          className="inline-flex items-center gap-1.5 text-accent hover:underline"
        >
          <GitBranch size={14} aria-hidden /> child run {shortId(step.child)}
        </Link>
      )}
      {typeof step.compensates === 'number' && (
        <button
          type="button"
          onClick={() => onStep(step.compensates!)}
          className="inline-flex items-center gap-1.5 self-start text-accent hover:underline"
        >
          <Undo2 size={14} aria-hidden /> undoes step {step.compensates}
        </button>
      )}
    </div>
  )
}

function Values({ step }: { step: Step }) {
  return (
    <>
      <Value name="Input" value={step.input} />
      <Value name="Output" value={step.output} absent={isFinished(step.state) ? 'None.' : 'Not yet.'} />
    </>
  )
}

export function Value({ name, value, absent = 'None.' }: { name: string; value: Json | undefined; absent?: string }) {
  return (
    <div className="border-t border-line">
      <h3 className="label px-4 pt-2">{name}</h3>
      {value === undefined ? (
        <p className="px-4 pb-2 text-xs text-soft">{absent}</p>
      ) : (
        <JsonView value={value} label={name.toLowerCase()} />
      )}
    </div>
  )
}

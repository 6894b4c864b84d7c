import { useQuery } from '@tanstack/react-query'
import { ChevronLeft, ChevronRight, GitFork } from 'lucide-react'
import { useState } from 'react'
import { Button, IconButton } from '~/components/ui/button'
import { ProblemView, Loading } from '~/components/ui/feedback'
import { StateLabel } from '~/components/ui/state'
import { isFinished, type ActiveStep, type Run, type RunMoment } from '~/lib/api'
import { formatTime } from '~/lib/time'
import { momentQuery } from './api'
import { ForkDialog } from './fork-dialog'
import { Value } from './step-panel'

interface PastStatesProps {
  run: Run
  seq: number | undefined
  onSeq: (seq: number) => void
  onStep: (step: number) => void
}

/** The run as it stood behind any record of its journal. */
export function PastStates({ run, seq, onSeq, onStep }: PastStatesProps) {
  const at = Math.min(seq ?? run.position, run.position)
  const moment = useQuery(momentQuery(run.id, at))
  const [forking, setForking] = useState(false)
  if (moment.isError) return <ProblemView error={moment.error} retry={() => void moment.refetch()} />
  return (
    <>
      <div className="sticky top-0 z-10 flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-surface px-4 py-2">
        <IconButton label="The record before" disabled={at === 0} onClick={() => onSeq(at - 1)}>
          <ChevronLeft size={15} />
        </IconButton>
        <input
          type="range"
          aria-label="Record"
          aria-valuetext={`record ${at} of ${run.position}`}
          min={0}
          max={run.position}
          value={at}
          onChange={e => onSeq(Number(e.target.value))}
          className="min-w-32 flex-1 accent-(--color-accent)"
        />
        <IconButton label="The record behind" disabled={at >= run.position} onClick={() => onSeq(at + 1)}>
          <ChevronRight size={15} />
        </IconButton>
        <span className="tabular font-mono text-xs">
          {at} of {run.position}
        </span>
        <Button size="sm" disabled={!moment.data || isFinished(moment.data.state)} onClick={() => setForking(true)}>
          <GitFork size={13} aria-hidden /> Fork from here
        </Button>
      </div>
      {moment.data ? <Moment moment={moment.data} onStep={onStep} /> : <Loading what="the state" rows={8} />}
      {forking && <ForkDialog run={run} place={{ seq: at }} onClose={() => setForking(false)} />}
    </>
  )
}

function Moment({ moment, onStep }: { moment: RunMoment; onStep: (step: number) => void }) {
  return (
    <div className="bg-surface">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
        <StateLabel state={moment.state} />
        <time className="tabular font-mono text-xs text-soft" dateTime={moment.at}>
          {formatTime(moment.at)}
        </time>
        <span className="text-xs text-soft">
          {moment.steps.started} steps begun, {moment.active.length} active
        </span>
      </div>
      {moment.waiting.length > 0 && (
        <ul aria-label="What it waited for" className="border-t border-line px-4 py-2 text-xs">
          {moment.waiting.map(w => (
            <li key={`${w.step} ${w.on}`}>{w.detail}</li>
          ))}
        </ul>
      )}
      {moment.active.map(step => (
        <Active key={step.id} step={step} onStep={onStep} />
      ))}
      <Value name="Data" value={moment.data} />
      <Value name="Context" value={moment.context} />
      {moment.output !== undefined && <Value name="Output" value={moment.output} />}
    </div>
  )
}

function Active({ step, onStep }: { step: ActiveStep; onStep: (step: number) => void }) {
  return (
    <section aria-label={`Step ${step.name}`} className="border-t border-line">
      <div className="flex flex-wrap items-baseline gap-x-3 px-4 pt-2">
        <button
          type="button"
          className="font-mono text-sm font-medium text-accent hover:underline"
          onClick={() => onStep(step.id)}
        >
          {step.name}
        </button>
        <span className="text-xs text-soft">
          step {step.id}, {step.kind}
          {typeof step.iteration === 'number' && `, iteration ${step.iteration}`}
          {step.attempt > 1 && `, attempt ${step.attempt}`}
        </span>
        {step.wakeAt && <span className="tabular text-xs text-waiting">wakes {formatTime(step.wakeAt)}</span>}
      </div>
      <Value name="Data" value={step.data} />
    </section>
  )
}

import { useQuery } from '@tanstack/react-query'
import { ArrowRight, Lightbulb } from 'lucide-react'
import { SourceView } from '~/components/source/source-view'
import { blockAt, expressionsIn, nodeAtPointer, type LineMarker } from '~/components/source/source-model'
import { Button } from '~/components/ui/button'
import { StateMark } from '~/components/ui/state'
import type { Step, WorkflowError } from '~/lib/api'
import { graphQuery, sourceQuery } from '~/lib/queries'
import { formatDuration, spanMs, useNow } from '~/lib/time'
import { adviceFor, headline, isExpressionError, markerOf, shortType } from './error-model'
import type { RunView } from './run-fold-model'
import { attemptsOf, faultedStep } from './step-tree-model'

interface ErrorPlace {
  /** Line of the task. */
  task: number
  /** At the expression that failed where it can be told, else at the task. */
  marker: LineMarker
}

/** Where an error arose in the document; null while that is not known. */
export function useErrorPlace(view: RunView, error: WorkflowError | null | undefined): ErrorPlace | null {
  const { data: graph } = useQuery({ ...graphQuery(view.run.definition), enabled: Boolean(error) })
  const { data: source } = useQuery({ ...sourceQuery(view.run.definition), enabled: Boolean(error) })
  const node = error && graph ? nodeAtPointer(graph.nodes, error.instance) : undefined
  return error && node && source !== undefined ? { task: node.line, marker: markerOf(error, source, node.line) } : null
}

interface ErrorPanelProps {
  view: RunView
  error: WorkflowError
  onStep: (step: number) => void
  onSource: () => void
}

/** Why the run failed: what, where in the document, what was tried, and what to do. */
export function ErrorPanel({ view, error, onStep, onSource }: ErrorPanelProps) {
  const place = useErrorPlace(view, error)
  const step = faultedStep(view.steps, error.instance)
  return (
    <section aria-label="Why it failed" data-state="faulted" className="border-b border-line bg-surface">
      <div className="grid gap-x-8 gap-y-4 border-l-4 border-(--state) px-4 py-3 md:px-5 lg:grid-cols-[minmax(0,5fr)_minmax(0,6fr)]">
        <div className="flex min-w-0 flex-col items-start gap-2">
          <h2 className="text-base font-semibold text-(--state)">{headline(error)}</h2>
          {error.detail && error.title && (
            <p className="font-mono text-xs break-words whitespace-pre-wrap">{error.detail}</p>
          )}
          <ErrorFacts error={error} />
          <p className="flex gap-2 text-soft">
            <Lightbulb size={15} aria-hidden className="mt-0.5 shrink-0" />
            {adviceFor(error)}
          </p>
          {step && <Attempts steps={attemptsOf(view.steps, step)} onStep={onStep} />}
          <div className="flex flex-wrap gap-2">
            {step && (
              <Button size="sm" onClick={() => onStep(step.id)}>
                Show the step <ArrowRight size={13} aria-hidden />
              </Button>
            )}
            {place && (
              <Button size="sm" onClick={onSource}>
                Show line {place.marker.line} in the source <ArrowRight size={13} aria-hidden />
              </Button>
            )}
          </div>
        </div>
        {place && <Excerpt view={view} place={place} expressions={isExpressionError(error)} />}
      </div>
    </section>
  )
}

export function ErrorFacts({ error }: { error: WorkflowError }) {
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 text-xs">
      <dt className="text-soft">type</dt>
      <dd className="truncate" title={error.type}>
        <span className="mr-2 font-medium">{shortType(error)}</span>
        <span className="font-mono text-2xs text-soft">{error.type}</span>
      </dd>
      <dt className="text-soft">status</dt>
      <dd className="tabular font-mono">{error.status}</dd>
      {error.instance && (
        <>
          <dt className="text-soft">task</dt>
          <dd className="font-mono break-all">{error.instance}</dd>
        </>
      )}
    </dl>
  )
}

function Excerpt({ view, place, expressions }: { view: RunView; place: ErrorPlace; expressions: boolean }) {
  const { data: source } = useQuery(sourceQuery(view.run.definition))
  if (source === undefined) return null
  const block = blockAt(source, place.task)
  const found = expressions ? expressionsIn(source, block.from, block.to) : []
  return (
    <div className="flex min-w-0 flex-col gap-2">
      {found.length > 0 && (
        <div>
          <h3 className="label">Expressions of the task</h3>
          <ul className="mt-1 flex flex-col gap-0.5 font-mono text-xs">
            {found.map((e, i) => (
              <li key={i} className="flex gap-3">
                <span className="tabular w-8 text-right text-soft">{e.line}</span>
                <code className="tok-expression min-w-0 break-words">{e.text}</code>
              </li>
            ))}
          </ul>
        </div>
      )}
      <SourceView
        source={source}
        label="The task at fault"
        markers={[place.marker]}
        range={{ from: Math.max(1, block.from - 2), to: Math.min(block.to + 1, block.from + 12) }}
        className="max-h-72 overflow-hidden rounded-sm border border-line"
      />
    </div>
  )
}

const attemptsShown = 10

/** Every try of the task, when there was more than one. */
export function Attempts({ steps, onStep }: { steps: readonly Step[]; onStep: (step: number) => void }) {
  const now = useNow('slow')
  if (steps.length < 2) return null
  return (
    <div>
      <h3 className="label">{steps.length} attempts</h3>
      <ol className="mt-1 flex flex-col gap-0.5">
        {steps.slice(-attemptsShown).map((step, i) => (
          <li key={step.id}>
            <button
              type="button"
              onClick={() => onStep(step.id)}
              className="flex items-center gap-2 text-left hover:underline"
            >
              <StateMark state={step.state} named size={12} />
              <span className="tabular font-mono text-xs">#{Math.max(0, steps.length - attemptsShown) + i + 1}</span>
              <span className="tabular font-mono text-xs text-soft">
                {formatDuration(spanMs(step.startedAt, step.endedAt, now) ?? 0)}
              </span>
              <span className="min-w-0 truncate text-xs">{step.error && headline(step.error)}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  )
}

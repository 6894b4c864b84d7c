import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useCallback, useMemo } from 'react'
import { Loading, ProblemView } from '~/components/ui/feedback'
import { usePageTitle } from '~/components/ui/page'
import { TabPanel, Tabs } from '~/components/ui/tabs'
import { isFinished } from '~/lib/api'
import { shortId } from '~/lib/ids'
import { graphQuery } from '~/lib/queries'
import { Artifacts } from './artifacts'
import { Children } from './children'
import { ErrorPanel } from './error-panel'
import { Journal } from './journal'
import { LiveOutput } from './live-output'
import { PastStates } from './past-states'
import { RunActions } from './run-actions'
import { RunData } from './run-data'
import type { LiveLine, RunView } from './run-fold-model'
import { activityOf, attentionOf } from './run-graph-model'
import { RunHeader } from './run-header'
import { RunSource } from './run-source'
import type { RunTab } from './run-tabs'
import { StepPanel } from './step-panel'
import { attemptsOf, faultedStep } from './step-tree-model'
import { Timeline } from './timeline'
import { useRun } from './use-run'
import { WaitingPanel } from './waiting-panel'

const FlowGraph = lazy(() => import('~/components/graph/flow-graph'))
const tabsName = 'Run parts'

interface RunPageProps {
  id: string
  tab: RunTab
  step: number | undefined
  /** The record behind which it is looked at, on the tab of past states. */
  seq: number | undefined
  onTab: (tab: RunTab) => void
  onStep: (step: number | undefined) => void
  onSeq: (seq: number) => void
}

export default function RunPage({ id, tab, step, seq, onTab, onStep, onSeq }: RunPageProps) {
  const { query, live, loadMore } = useRun(id)
  const run = query.data?.run
  usePageTitle(run ? `${run.state}: ${run.definition.name} ${shortId(id)}` : 'Run')
  if (query.isError) return <ProblemView error={query.error} retry={() => void query.refetch()} />
  if (!query.data || !run) return <Loading what="the run" rows={10} />
  const view = query.data
  const selected = step === undefined ? undefined : view.steps.get(step)
  return (
    <>
      <RunHeader
        run={run}
        actions={
          <RunActions run={run} failedStep={run.error ? faultedStep(view.steps, run.error.instance)?.id : undefined} />
        }
      />
      {!isFinished(run.state) && <WaitingPanel id={id} onStep={onStep} />}
      {run.error && <ErrorPanel view={view} error={run.error} onStep={onStep} onSource={() => onTab('source')} />}
      <div
        className={`flex flex-1 shrink-0 flex-col lg:grid lg:min-h-[28rem] lg:shrink lg:grid-rows-[minmax(0,1fr)] ${selected ? 'lg:grid-cols-[minmax(0,1fr)_25rem]' : ''}`}
      >
        <div className="flex min-h-0 min-w-0 flex-1 flex-col">
          <div className="bg-surface">
            <Tabs name={tabsName} active={tab} onSelect={onTab} tabs={tabsOf(view, live)} />
          </div>
          <TabPanel
            name={tabsName}
            id={tab}
            className="relative flex min-h-[26rem] flex-1 flex-col lg:min-h-0 lg:overflow-auto"
          >
            <Room {...{ view, live, tab, step, seq, onStep, onSeq }} onMore={() => loadMore.mutate()} />
          </TabPanel>
        </div>
        {selected && (
          <StepPanel
            key={selected.id}
            run={run}
            step={selected}
            attempts={attemptsOf(view.steps, selected)}
            onStep={onStep}
            onClose={() => onStep(undefined)}
          />
        )}
      </div>
    </>
  )
}

function tabsOf(view: RunView, live: readonly LiveLine[]) {
  return [
    { id: 'graph', label: 'Graph' },
    { id: 'timeline', label: 'Timeline', badge: view.run.steps.started },
    { id: 'data', label: 'Input and output' },
    { id: 'live', label: 'Live output', ...(live.length > 0 ? { badge: live.length } : {}) },
    { id: 'artifacts', label: 'Artifacts' },
    { id: 'children', label: 'Children and forks' },
    { id: 'past', label: 'Past states' },
    { id: 'journal', label: 'Journal' },
    { id: 'source', label: 'Source' },
  ] as const
}

interface RoomProps {
  view: RunView
  live: readonly LiveLine[]
  tab: RunTab
  step: number | undefined
  seq: number | undefined
  onStep: (step: number) => void
  onSeq: (seq: number) => void
  onMore: () => void
}

function Room({ view, live, tab, step, seq, onStep, onSeq, onMore }: RoomProps) {
  const { run } = view
  switch (tab) {
    case 'graph':
      return <GraphRoom view={view} step={step} onStep={onStep} />
    case 'timeline':
      return <Timeline view={view} selected={step} onSelect={onStep} onMore={onMore} />
    case 'data':
      return <RunData run={run} />
    case 'live':
      return <LiveOutput view={view} lines={live} onStep={onStep} />
    case 'artifacts':
      return <Artifacts run={run.id} />
    case 'children':
      return <Children run={run.id} />
    case 'past':
      return <PastStates run={run} seq={seq} onSeq={onSeq} onStep={onStep} />
    case 'journal':
      return <Journal run={run.id} steps={view.steps} onSeq={onSeq} />
    case 'source':
      return <RunSource view={view} step={step} />
  }
}

function GraphRoom({ view, step, onStep }: Pick<RoomProps, 'view' | 'step' | 'onStep'>) {
  const graph = useQuery(graphQuery(view.run.definition))
  const activity = useMemo(
    () => (graph.data ? activityOf(graph.data, view.steps) : undefined),
    [graph.data, view.steps],
  )
  const select = useCallback(
    (node: number) => {
      const latest = activity?.nodes.get(node)?.latest
      if (latest) onStep(latest.id)
    },
    [activity, onStep],
  )
  if (graph.isError) return <ProblemView error={graph.error} retry={() => void graph.refetch()} />
  if (!graph.data) return <Loading what="the graph" />
  const selected = step === undefined ? undefined : view.steps.get(step)?.node
  return (
    <div className="absolute inset-0">
      <Suspense fallback={<Loading what="the graph" />}>
        <FlowGraph
          graph={graph.data}
          label="Tasks of the run"
          activity={activity}
          selected={selected}
          attention={selected ?? (activity && attentionOf(activity, view.run.state))}
          onSelect={select}
        />
      </Suspense>
    </div>
  )
}

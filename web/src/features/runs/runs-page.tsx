import { useInfiniteQuery, useQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Activity, X } from 'lucide-react'
import { useEffect } from 'react'
import { Button, buttonClass } from '~/components/ui/button'
import { EmptyState, Loading, ProblemView } from '~/components/ui/feedback'
import { PageHeader, usePageTitle } from '~/components/ui/page'
import { StateMark } from '~/components/ui/state'
import { runStates, type Page, type Run, type RunState } from '~/lib/api'
import { systemQuery } from '~/lib/queries'
import { useWorkspaceStream } from '~/lib/workspace-stream'
import { runsQuery } from './api'
import { foldRun, type RunFilter } from './run-list-model'
import { RunTable } from './run-table'

interface RunsPageProps {
  filter: RunFilter
  onFilter: (filter: { state?: RunState[]; definition?: string; parent?: string }) => void
}

export function RunsPage({ filter, onFilter }: RunsPageProps) {
  usePageTitle('Runs')
  const list = useInfiniteQuery(runsQuery(filter))
  useLiveList(filter)
  const runs = list.data?.pages.flatMap(p => p.items) ?? []
  const filtered = Boolean(filter.state?.length || filter.definition || filter.parent)
  const withState = (state: RunState[]) => {
    const { state: _, ...rest } = definedOf(filter)
    onFilter(state.length > 0 ? { ...rest, state } : rest)
  }
  return (
    <>
      <PageHeader title="Runs">
        <StateFilter chosen={filter.state ?? []} onChoose={withState} />
        <OtherFilters filter={filter} onFilter={onFilter} />
      </PageHeader>
      {list.isPending && <Loading what="the runs" rows={10} />}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && runs.length === 0 && (filtered ? <NoMatch onFilter={onFilter} /> : <NoRuns />)}
      {runs.length > 0 && <RunTable runs={runs} />}
      {list.hasNextPage && (
        <div className="p-4 text-center">
          <Button onClick={() => void list.fetchNextPage()} disabled={list.isFetchingNextPage}>
            Load more
          </Button>
        </div>
      )}
    </>
  )
}

const definedOf = ({ state, definition, parent }: RunFilter) => ({
  ...(state ? { state } : {}),
  ...(definition ? { definition } : {}),
  ...(parent ? { parent } : {}),
})

/** Folds the workspace's changes into the list, and reads it again when some may have been missed. */
function useLiveList(filter: RunFilter): void {
  const client = useQueryClient()
  const { onRun, onGap } = useWorkspaceStream()
  useEffect(() => {
    const { queryKey } = runsQuery(filter)
    let system: ReturnType<typeof setTimeout> | undefined
    const stopRuns = onRun(run => {
      client.setQueryData<InfiniteData<Page<Run>, string | null>>(
        queryKey,
        data => data && { ...data, pages: foldRun(data.pages, filter, run) },
      )
      system ??= setTimeout(() => {
        system = undefined
        void client.invalidateQueries({ queryKey: ['system'] })
      }, 800)
    })
    const stopGaps = onGap(() => void client.invalidateQueries({ queryKey: ['runs'] }))
    return () => {
      clearTimeout(system)
      stopRuns()
      stopGaps()
    }
  }, [client, filter, onRun, onGap])
}

function StateFilter({ chosen, onChoose }: { chosen: readonly RunState[]; onChoose: (states: RunState[]) => void }) {
  const { data } = useQuery(systemQuery)
  const toggle = (state: RunState) =>
    onChoose(chosen.includes(state) ? chosen.filter(s => s !== state) : [...chosen, state])
  return (
    <div role="group" aria-label="Filter by state" className="-mx-1 flex flex-wrap gap-1">
      {runStates.map(state => (
        <button
          key={state}
          type="button"
          aria-pressed={chosen.includes(state)}
          onClick={() => toggle(state)}
          className="flex h-7 items-center gap-1.5 rounded-sm border border-line px-2 text-soft hover:border-edge hover:text-ink aria-pressed:border-accent aria-pressed:bg-accent-wash aria-pressed:text-ink"
        >
          <StateMark state={state} size={13} />
          {state}
          {data && <span className="tabular text-xs font-medium text-ink">{data.runs?.[state] ?? 0}</span>}
        </button>
      ))}
      {chosen.length > 0 && (
        <Button look="quiet" size="sm" onClick={() => onChoose([])}>
          All states
        </Button>
      )}
    </div>
  )
}

function OtherFilters({ filter, onFilter }: RunsPageProps) {
  const rest = definedOf(filter)
  const without = (key: 'definition' | 'parent') =>
    onFilter(Object.fromEntries(Object.entries(rest).filter(([k]) => k !== key)))
  const chips = (['definition', 'parent'] as const).filter(key => filter[key])
  if (chips.length === 0) return null
  return (
    <div className="flex flex-wrap gap-1.5">
      {chips.map(key => (
        <button
          key={key}
          type="button"
          onClick={() => without(key)}
          aria-label={`Remove the filter ${key} ${filter[key]}`}
          className="flex h-7 max-w-full items-center gap-1.5 rounded-sm border border-accent bg-accent-wash px-2"
        >
          <span className="text-soft">{key}</span>
          <span className="truncate font-mono text-xs">{filter[key]}</span>
          <X size={13} aria-hidden />
        </button>
      ))}
    </div>
  )
}

function NoMatch({ onFilter }: Pick<RunsPageProps, 'onFilter'>) {
  return (
    <EmptyState title="No run matches the filter" icon={<Activity size={28} aria-hidden />}>
      <p>New runs that match appear here by themselves.</p>
      <Button onClick={() => onFilter({})}>Show all runs</Button>
    </EmptyState>
  )
}

function NoRuns() {
  return (
    <EmptyState title="No run yet" icon={<Activity size={28} aria-hidden />}>
      <p>Choose a definition and start it; its run appears here by itself.</p>
      <Link to="/definitions" className={buttonClass('solid')}>
        Choose a definition
      </Link>
    </EmptyState>
  )
}

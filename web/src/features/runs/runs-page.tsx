import { Link } from '@tanstack/react-router'
import { Activity } from 'lucide-react'
import { Button, buttonClass } from '~/components/ui/button'
import { EmptyState, Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import { PageHeader, usePageTitle } from '~/components/ui/page'
import type { ReactNode } from 'react'
import type { RunState } from '~/lib/api'
import { ChildrenSwitch, definedOf, PlaceFilters, StateFilter, type FilterProps } from './run-filters'
import { RunTable } from './run-table'
import { useLiveRuns } from './use-live-runs'

interface RunsPageProps extends FilterProps {
  /** What else can be done with the runs that match. */
  actions?: ReactNode
  /** What keeps runs from working, above the list. */
  heldBack?: ReactNode
}

export function RunsPage({ filter, onFilter, actions, heldBack }: RunsPageProps) {
  usePageTitle('Runs')
  const list = useLiveRuns(filter)
  const runs = list.data?.pages.flatMap(p => p.items) ?? []
  const filtered = Boolean(filter.state?.length || filter.definition || filter.parent || filter.forkOf)
  const withState = (state: RunState[]) => {
    const { state: _, ...rest } = definedOf(filter)
    onFilter(state.length > 0 ? { ...rest, state } : rest)
  }
  return (
    <>
      <PageHeader
        title="Runs"
        actions={
          <>
            <PlaceFilters filter={filter} onFilter={onFilter} />
            {actions}
          </>
        }
      >
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
          <StateFilter
            chosen={filter.state ?? []}
            withChildren={Boolean(filter.children || filter.parent)}
            onChoose={withState}
          />
          <ChildrenSwitch filter={filter} onFilter={onFilter} />
        </div>
      </PageHeader>
      {heldBack}
      {list.isPending && <Loading what="the runs" rows={10} />}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && runs.length === 0 && (filtered ? <NoMatch onFilter={onFilter} /> : <NoRuns />)}
      {runs.length > 0 && <RunTable runs={runs} />}
      <LoadMore list={list} />
    </>
  )
}

function NoMatch({ onFilter }: Pick<FilterProps, 'onFilter'>) {
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

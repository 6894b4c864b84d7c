import { GitBranch } from 'lucide-react'
import { EmptyState, Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import { RunTable } from './run-table'
import { useLiveRuns } from './use-live-runs'

/** The runs that this run started. */
export function Children({ run }: { run: string }) {
  const list = useLiveRuns({ parent: run })
  if (list.isError) return <ProblemView error={list.error} retry={() => void list.refetch()} />
  if (!list.data) return <Loading what="the child runs" />
  const runs = list.data.pages.flatMap(p => p.items)
  if (runs.length === 0)
    return (
      <EmptyState title="No child runs" icon={<GitBranch size={28} aria-hidden />}>
        Runs that this run starts appear here.
      </EmptyState>
    )
  return (
    <>
      <RunTable runs={runs} />
      <LoadMore list={list} />
    </>
  )
}

import { GitBranch } from 'lucide-react'
import { EmptyState, Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import { RunTable } from './run-table'
import { useLiveRuns } from './use-live-runs'

/** The runs that this run started, and those that go on from it. */
export function Children({ run }: { run: string }) {
  const children = useLiveRuns({ parent: run })
  const forks = useLiveRuns({ forkOf: run })
  const count = (list: typeof children) => list.data?.pages[0]?.items.length
  if (count(children) === 0 && count(forks) === 0)
    return (
      <EmptyState title="No child runs and no forks" icon={<GitBranch size={28} aria-hidden />}>
        Runs that this run starts, and runs that go on from it, appear here.
      </EmptyState>
    )
  return (
    <>
      {count(children) !== 0 && <List title="Child runs" list={children} />}
      {count(forks) !== 0 && <List title="Forks" list={forks} />}
    </>
  )
}

function List({ title, list }: { title: string; list: ReturnType<typeof useLiveRuns> }) {
  if (list.isError) return <ProblemView error={list.error} retry={() => void list.refetch()} />
  if (!list.data) return <Loading what={`the ${title.toLowerCase()}`} />
  return (
    <section aria-label={title}>
      <h2 className="label px-4 pt-3 pb-1">{title}</h2>
      <RunTable runs={list.data.pages.flatMap(p => p.items)} />
      <LoadMore list={list} />
    </section>
  )
}

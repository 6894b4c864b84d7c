import { useQuery } from '@tanstack/react-query'
import { Loading, ProblemView } from '~/components/ui/feedback'
import { isFinished, type Run } from '~/lib/api'
import { runInputQuery, runOutputQuery } from './api'
import { StartingEvents } from './started-by'
import { Value } from './step-panel'

/** What the run was given and what it returned. */
export function RunData({ run }: { run: Run }) {
  const input = useQuery(runInputQuery(run.id))
  const output = useQuery({ ...runOutputQuery(run.id), enabled: run.state === 'completed' })
  const failed = input.error ?? output.error
  if (failed)
    return <ProblemView error={failed} retry={() => void (input.isError ? input.refetch() : output.refetch())} />
  if (input.isPending || (run.state === 'completed' && output.isPending)) return <Loading what="the values" />
  return (
    <div className="bg-surface">
      <StartingEvents run={run} />
      <div className="grid lg:grid-cols-2 lg:divide-x lg:divide-line">
        <Value name="Input" value={input.data} />
        <Value
          name="Output"
          value={output.data}
          absent={isFinished(run.state) ? 'None: the run did not complete.' : 'Not yet.'}
        />
      </div>
    </div>
  )
}

import { useQuery } from '@tanstack/react-query'
import { Loading, ProblemView } from '~/components/ui/feedback'
import { PageHeader, Panel, usePageTitle } from '~/components/ui/page'
import { deadLettersQuery } from './api'
import { DeadLetters } from './dead-letters'
import { LimitsPanel } from './limits-panel'
import { RetentionPanel, SharePanel } from './settings'

/** What holds for the workspace as a whole: its limits, how long runs are kept, what was put aside. */
export function WorkspacePage() {
  usePageTitle('Workspace')
  return (
    <>
      <PageHeader title="Workspace">
        <p className="text-soft">
          What keeps runs from working all at once, for how long they are kept, and what was put aside.
        </p>
      </PageHeader>
      <div className="grid gap-px bg-line md:grid-cols-[minmax(0,1fr)_minmax(0,22rem)]">
        <div className="flex flex-col bg-surface">
          <LimitsPanel />
          <PutAside />
        </div>
        <div className="flex flex-col bg-surface">
          <SharePanel />
          <RetentionPanel />
        </div>
      </div>
    </>
  )
}

function PutAside() {
  const letters = useQuery(deadLettersQuery)
  if (letters.data) return <DeadLetters letters={letters.data.items} more={Boolean(letters.data.next)} />
  return (
    <Panel title="Dead letters" className="border-b">
      {letters.isPending && <Loading what="the dead letters" rows={3} />}
      {letters.isError && <ProblemView error={letters.error} retry={() => void letters.refetch()} />}
    </Panel>
  )
}

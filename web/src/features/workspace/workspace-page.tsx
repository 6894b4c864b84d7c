import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Loading, ProblemView } from '~/components/ui/feedback'
import { PageHeader, Panel, usePageTitle } from '~/components/ui/page'
import { deadLettersQuery } from './api'
import { DeadLetterFilters } from './dead-letter-filters'
import { DeadLetters } from './dead-letters'
import { LimitsPanel } from './limits-panel'
import { ResourcesPanel } from './resources-panel'
import { RetentionPanel, SharePanel } from './settings'
import type { DeadLetterFilter } from './workspace'

/** What holds for the workspace as a whole: its limits, how long runs are kept, what was put aside. */
export function WorkspacePage() {
  usePageTitle('Workspace')
  return (
    <>
      <PageHeader title="Workspace">
        <p className="text-soft">
          What keeps runs from working all at once, for how long they are kept, what was put aside, and what definitions
          read.
        </p>
      </PageHeader>
      <div className="grid gap-px bg-line md:grid-cols-[minmax(0,1fr)_minmax(0,22rem)]">
        <div className="flex flex-col bg-surface">
          <LimitsPanel />
          <PutAside />
          <ResourcesPanel />
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
  const [filter, setFilter] = useState<DeadLetterFilter>({})
  const letters = useQuery(deadLettersQuery(filter))
  if (letters.data)
    return (
      <DeadLetters letters={letters.data.items} more={Boolean(letters.data.next)} filter={filter}>
        <DeadLetterFilters key={JSON.stringify(filter)} filter={filter} onFilter={setFilter} />
      </DeadLetters>
    )
  return (
    <Panel title="Dead letters" className="border-b">
      {letters.isPending && <Loading what="the dead letters" rows={3} />}
      {letters.isError && <ProblemView error={letters.error} retry={() => void letters.refetch()} />}
    </Panel>
  )
}

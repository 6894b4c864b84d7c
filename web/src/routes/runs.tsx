import { createRoute, Link, useNavigate } from '@tanstack/react-router'
import { Layers } from 'lucide-react'
import { useState } from 'react'
import { Button, buttonClass } from '~/components/ui/button'
import { runStates, type RunState } from '~/lib/api'
import { BulkDialog } from '~/features/bulk/bulk-dialog'
import { RunsPage } from '~/features/runs/runs-page'
import { HeldBack } from '~/features/workspace/held-back-panels'
import { rootRoute } from './root'

interface Search {
  state?: RunState[]
  /** namespace/name */
  definition?: string
  parent?: string
  forkOf?: string
  children?: true
}

export const runsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/runs',
  validateSearch: (raw: Record<string, unknown>): Search => {
    const states = (Array.isArray(raw.state) ? raw.state : [raw.state]).filter(s => runStates.includes(s as RunState))
    return {
      ...(states.length > 0 ? { state: states as RunState[] } : {}),
      ...(typeof raw.definition === 'string' && raw.definition ? { definition: raw.definition } : {}),
      ...(typeof raw.parent === 'string' && raw.parent ? { parent: raw.parent } : {}),
      ...(typeof raw.forkOf === 'string' && raw.forkOf ? { forkOf: raw.forkOf } : {}),
      ...(String(raw.children) === 'true' ? { children: true } : {}),
    }
  },
  component: function Runs() {
    const filter = runsRoute.useSearch()
    const navigate = useNavigate()
    const [asking, setAsking] = useState(false)
    return (
      <>
        <RunsPage
          filter={filter}
          onFilter={search => void navigate({ to: '/runs', search, replace: true })}
          actions={<BulkActions parent={Boolean(filter.parent)} onAsk={() => setAsking(true)} />}
          heldBack={<HeldBack />}
        />
        {asking && (
          <BulkDialog
            filter={filter}
            onClose={() => setAsking(false)}
            onStarted={() => void navigate({ to: '/runs/bulk' })}
          />
        )}
      </>
    )
  },
})

/** @param parent Whether the list is that of a run's children, which no bulk work goes by. */
function BulkActions({ parent, onAsk }: { parent: boolean; onAsk: () => void }) {
  return (
    <>
      {!parent && (
        <Button size="sm" onClick={onAsk}>
          <Layers size={13} aria-hidden /> Many at once…
        </Button>
      )}
      <Link to="/runs/bulk" className={buttonClass('quiet', 'sm')}>
        Bulk work
      </Link>
    </>
  )
}

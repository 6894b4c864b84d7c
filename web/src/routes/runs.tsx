import { createRoute, useNavigate } from '@tanstack/react-router'
import { runStates, type RunState } from '~/lib/api'
import { RunsPage } from '~/features/runs/runs-page'
import { rootRoute } from './root'

interface Search {
  state?: RunState[]
  /** namespace/name */
  definition?: string
  parent?: string
  forkOf?: string
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
    }
  },
  component: function Runs() {
    const filter = runsRoute.useSearch()
    const navigate = useNavigate()
    return <RunsPage filter={filter} onFilter={search => void navigate({ to: '/runs', search, replace: true })} />
  },
})

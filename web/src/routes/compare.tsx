import { createRoute } from '@tanstack/react-router'
import { lazy } from 'react'
import { rootRoute } from './root'

const ComparePage = lazy(() => import('~/features/runs/compare-page'))

export const compareRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/runs/$runId/compare/$otherId',
  component: function CompareRoute() {
    const { runId, otherId } = compareRoute.useParams()
    return <ComparePage key={`${runId} ${otherId}`} left={runId} right={otherId} />
  },
})

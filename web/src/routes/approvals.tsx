import { createRoute } from '@tanstack/react-router'
import { ApprovalsPage } from '~/features/approvals/approvals-page'
import type { ApprovalState } from '~/features/approvals/approval'
import { rootRoute } from './root'

const states = ['open', 'approved', 'rejected', 'expired', 'cancelled']

export const approvalsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/approvals',
  validateSearch: (search: Record<string, unknown>): { state?: ApprovalState } =>
    states.includes(String(search.state)) ? { state: search.state as ApprovalState } : {},
  component: function ApprovalsRoute() {
    return <ApprovalsPage state={approvalsRoute.useSearch().state} />
  },
})

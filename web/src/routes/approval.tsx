import { createRoute } from '@tanstack/react-router'
import { ApprovalPage } from '~/features/approvals/approval-page'
import { rootRoute } from './root'

export const approvalRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/approvals/$approvalId',
  component: function ApprovalRoute() {
    const { approvalId } = approvalRoute.useParams()
    return <ApprovalPage key={approvalId} way={{ id: approvalId }} />
  },
})

/** For whoever was given a link. */
export const approvalLinkRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/approvals/link/$token',
  component: function ApprovalLinkRoute() {
    const { token } = approvalLinkRoute.useParams()
    return <ApprovalPage key={token} way={{ token }} />
  },
})

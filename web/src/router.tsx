import type { QueryClient } from '@tanstack/react-query'
import { createRoute, createRouter, redirect } from '@tanstack/react-router'
import { Loading, ProblemView } from './components/ui/feedback'
import { parseQuery, queryString } from './lib/http'
import { approvalLinkRoute, approvalRoute } from './routes/approval'
import { approvalsRoute } from './routes/approvals'
import { bulkRoute } from './routes/bulk'
import { definitionRoute } from './routes/definition'
import { definitionsRoute } from './routes/definitions'
import { newDefinitionRoute } from './routes/new-definition'
import { eventRoute, eventsRoute } from './routes/events'
import { rootRoute } from './routes/root'
import { compareRoute } from './routes/compare'
import { runRoute } from './routes/run'
import { runsRoute } from './routes/runs'
import { scheduleRoute } from './routes/schedule'
import { schedulesRoute } from './routes/schedules'
import { sinksRoute } from './routes/sinks'
import { workspaceRoute } from './routes/workspace'

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/runs' })
  },
})

const tree = rootRoute.addChildren([
  homeRoute,
  runsRoute,
  bulkRoute,
  runRoute,
  compareRoute,
  definitionsRoute,
  definitionRoute,
  newDefinitionRoute,
  schedulesRoute,
  scheduleRoute,
  approvalsRoute,
  approvalRoute,
  approvalLinkRoute,
  eventsRoute,
  eventRoute,
  sinksRoute,
  workspaceRoute,
])

export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { client },
    // Addresses stay readable and a version such as 1.0 stays a text: plain parameters, lists by repetition.
    parseSearch: parseQuery,
    stringifySearch: queryString,
    defaultPendingComponent: () => <Loading what="the page" />,
    defaultErrorComponent: ({ error, reset }) => <ProblemView error={error} retry={reset} />,
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}

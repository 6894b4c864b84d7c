import { createRootRouteWithContext, Link, Outlet, type ErrorComponentProps } from '@tanstack/react-router'
import type { QueryClient } from '@tanstack/react-query'
import { EmptyState, ProblemView } from '~/components/ui/feedback'
import { usePageTitle } from '~/components/ui/page'
import { Shell } from '~/features/shell/shell'

export const rootRoute = createRootRouteWithContext<{ client: QueryClient }>()({
  component: () => (
    <Shell>
      <Outlet />
    </Shell>
  ),
  notFoundComponent: NotFound,
  errorComponent: Broken,
})

function NotFound() {
  usePageTitle('Not found')
  return (
    <EmptyState title="There is no such page">
      <Link to="/runs" className="text-accent underline">
        Go to the runs
      </Link>
    </EmptyState>
  )
}

function Broken({ error, reset }: ErrorComponentProps) {
  usePageTitle('Failed')
  return <ProblemView error={error} retry={reset} />
}

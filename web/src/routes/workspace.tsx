import { createRoute } from '@tanstack/react-router'
import { WorkspacePage } from '~/features/workspace/workspace-page'
import { rootRoute } from './root'

export const workspaceRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/workspace',
  component: WorkspacePage,
})

import { createRoute } from '@tanstack/react-router'
import { BulkPage } from '~/features/bulk/bulk-page'
import { rootRoute } from './root'

export const bulkRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/runs/bulk',
  component: BulkPage,
})

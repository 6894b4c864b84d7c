import { createRoute } from '@tanstack/react-router'
import { SchedulesPage } from '~/features/schedules/schedules-page'
import { rootRoute } from './root'

export const schedulesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/schedules',
  component: SchedulesPage,
})

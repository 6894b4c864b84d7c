import { createRoute } from '@tanstack/react-router'
import { SchedulePage } from '~/features/schedules/schedule-page'
import { rootRoute } from './root'

export const scheduleRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/schedules/$namespace/$name',
  component: function ScheduleRoute() {
    const { namespace, name } = scheduleRoute.useParams()
    return <SchedulePage key={`${namespace}/${name}`} namespace={namespace} name={name} />
  },
})

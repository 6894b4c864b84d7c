import { createRoute, useNavigate } from '@tanstack/react-router'
import { EventPage } from '~/features/events/event-page'
import { EventsPage } from '~/features/events/events-page'
import { rootRoute } from './root'

interface Search {
  type?: string
  source?: string
}

export const eventsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/events',
  validateSearch: (raw: Record<string, unknown>): Search => ({
    ...(typeof raw.type === 'string' && raw.type ? { type: raw.type } : {}),
    ...(typeof raw.source === 'string' && raw.source ? { source: raw.source } : {}),
  }),
  component: function Events() {
    const filter = eventsRoute.useSearch()
    const navigate = useNavigate()
    return (
      <EventsPage
        filter={filter}
        onFilter={({ type, source }) =>
          void navigate({ to: '/events', search: { ...(type ? { type } : {}), ...(source ? { source } : {}) } })
        }
        onSent={position => void navigate({ to: '/events/$position', params: { position: String(position) } })}
      />
    )
  },
})

export const eventRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/events/$position',
  component: function OneEvent() {
    const { position } = eventRoute.useParams()
    return <EventPage key={position} position={Number(position) || 0} />
  },
})

import { createRoute, useNavigate } from '@tanstack/react-router'
import { DefinitionsPage } from '~/features/definitions/definitions-page'
import { rootRoute } from './root'

export const definitionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/definitions',
  validateSearch: (raw: Record<string, unknown>): { q?: string } =>
    typeof raw.q === 'string' && raw.q ? { q: raw.q } : {},
  component: function Definitions() {
    const { q } = definitionsRoute.useSearch()
    const navigate = useNavigate()
    return (
      <DefinitionsPage
        q={q ?? ''}
        onSearch={text => void navigate({ to: '/definitions', search: text ? { q: text } : {}, replace: true })}
      />
    )
  },
})

import { createRoute, useNavigate } from '@tanstack/react-router'
import { lazy, useState } from 'react'
import { definitionTabs, type DefinitionTab } from '~/features/definitions/definition-tabs'
import { StartRunDialog } from '~/features/runs/start-run-dialog'
import type { DefinitionVersion } from '~/lib/api'
import { rootRoute } from './root'

const DefinitionPage = lazy(() => import('~/features/definitions/definition-page'))

interface Search {
  version?: string
  tab?: DefinitionTab
}

export const definitionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/definitions/$namespace/$name',
  validateSearch: (raw: Record<string, unknown>): Search => ({
    ...(typeof raw.version === 'string' && raw.version ? { version: raw.version } : {}),
    ...(definitionTabs.includes(raw.tab as DefinitionTab) ? { tab: raw.tab as DefinitionTab } : {}),
  }),
  component: function Definition() {
    const params = definitionRoute.useParams()
    const current = definitionRoute.useSearch()
    const { version = 'latest', tab = 'graph' } = current
    const navigate = useNavigate()
    const [starting, setStarting] = useState<DefinitionVersion | null>(null)
    const go = (search: Search) =>
      void navigate({
        to: '/definitions/$namespace/$name',
        params,
        search: { ...current, ...search },
        replace: true,
      })
    return (
      <>
        <DefinitionPage
          key={`${params.namespace}/${params.name}`}
          of={{ ...params, version }}
          tab={tab}
          onTab={t => go({ tab: t })}
          onVersion={v => go({ version: v })}
          onStart={setStarting}
        />
        {starting && <StartRunDialog definition={starting} onClose={() => setStarting(null)} />}
      </>
    )
  },
})

import { createRoute } from '@tanstack/react-router'
import { lazy } from 'react'
import { rootRoute } from './root'

const EditorPage = lazy(() => import('~/features/definitions/editor-page'))

export const newDefinitionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/definitions/new',
  /** `from`: namespace/name:version of the version whose text to begin with. */
  validateSearch: (raw: Record<string, unknown>): { from?: string } =>
    typeof raw.from === 'string' && raw.from ? { from: raw.from } : {},
  component: function NewDefinition() {
    const { from } = newDefinitionRoute.useSearch()
    return <EditorPage key={from} from={from} />
  },
})

import { createRoute } from '@tanstack/react-router'
import { SinksPage } from '~/features/sinks/sinks-page'
import { rootRoute } from './root'

export const sinksRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sinks',
  component: SinksPage,
})

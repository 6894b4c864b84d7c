import { createRoute, useNavigate } from '@tanstack/react-router'
import { lazy } from 'react'
import { runTabs, type RunTab } from '~/features/runs/run-tabs'
import { rootRoute } from './root'

const RunPage = lazy(() => import('~/features/runs/run-page'))

interface Search {
  tab?: RunTab
  step?: number
  /** The record behind which the run is looked at. */
  seq?: number
}

export const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/runs/$runId',
  validateSearch: (raw: Record<string, unknown>): Search => ({
    ...(runTabs.includes(raw.tab as RunTab) ? { tab: raw.tab as RunTab } : {}),
    ...(/^\d{1,9}$/.test(String(raw.step)) ? { step: Number(raw.step) } : {}),
    ...(/^\d{1,9}$/.test(String(raw.seq)) ? { seq: Number(raw.seq) } : {}),
  }),
  component: function RunRoute() {
    const { runId } = runRoute.useParams()
    const current = runRoute.useSearch()
    const { tab, step, seq } = current
    const navigate = useNavigate()
    const go = (search: Search) =>
      void navigate({ to: '/runs/$runId', params: { runId }, search: { ...current, ...search }, replace: true })
    return (
      <RunPage
        key={runId}
        id={runId}
        tab={tab ?? 'graph'}
        step={step}
        seq={seq}
        onTab={t => go({ tab: t })}
        onStep={s => go({ step: s })}
        onSeq={s => go({ tab: 'past', seq: s })}
      />
    )
  },
})

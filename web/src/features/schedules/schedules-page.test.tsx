// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import type { Schedule } from './schedule'
import { renderPage, serve } from '~/test-server'
import { SchedulePage } from './schedule-page'
import { SchedulesPage } from './schedules-page'

const schedule: Schedule = {
  id: 's',
  namespace: 'demo',
  name: 'nightly',
  version: '1.0.0',
  times: { cron: '0 2 * * *' },
  timeZone: 'Europe/Berlin',
  overlap: 'skip',
  catchUp: { window: 'P1D', mode: 'latest' },
  input: { full: true },
  paused: false,
  nextAt: '2099-01-01T01:00:00Z',
  lastRun: { at: '2026-11-26T01:00:00Z', run: 'r0', state: 'faulted', createdAt: '2026-11-26T01:00:00Z' },
  skipped: 2,
  createdAt: '2026-11-20T00:00:00Z',
  updatedAt: '2026-11-20T00:00:00Z',
}

test('Schedules are listed, and one is paused where it stands', async () => {
  let paused = false
  const asked = serve(({ method, path, body }) => {
    if (method === 'PATCH') {
      paused = (JSON.parse(body!) as { paused: boolean }).paused
      return { json: { ...schedule, paused, nextAt: null } }
    }
    if (path.startsWith('/api/v1/schedules'))
      return { json: { items: [{ ...schedule, paused, nextAt: paused ? null : schedule.nextAt }], next: null } }
    return undefined
  })
  renderPage(<SchedulesPage />)
  const row = await screen.findByRole('row', { name: /nightly/ })
  expect(row).toHaveTextContent('0 2 * * * in Europe/Berlin')
  expect(row).toHaveTextContent('faulted')
  const active = screen.getByRole('switch', { name: 'demo/nightly is active' })
  expect(active).toBeChecked()
  await userEvent.click(active)
  await waitFor(() => expect(screen.getByRole('switch')).not.toBeChecked())
  expect(asked.find(a => a.method === 'PATCH')).toMatchObject({
    path: '/api/v1/schedules/demo/nightly',
    body: '{"paused":true}',
  })
  expect(await screen.findByText('paused')).toBeVisible()
})

test('What events start stands below, with what it listens for, and is paused there', async () => {
  let paused = false
  const trigger = () => ({
    namespace: 'demo',
    name: 'paid',
    version: '1.0.0',
    events: [{ type: 'order.paid', source: '/shop' }, {}],
    paused,
    since: '2026-11-20T00:00:00Z',
    lastRun: { run: 'r7', state: 'completed', createdAt: '2026-11-26T01:00:00Z', count: 1, events: [] },
  })
  const asked = serve(({ method, path, body }) => {
    if (method === 'PATCH') {
      paused = (JSON.parse(body!) as { paused: boolean }).paused
      return { json: trigger() }
    }
    return { json: { items: path.startsWith('/api/v1/triggers') ? [trigger()] : [], next: null } }
  })
  renderPage(<SchedulesPage />)
  const row = await screen.findByRole('row', { name: /paid/ })
  expect(row).toHaveTextContent('order.paid from /shop, any event')
  expect(within(row).getByRole('link', { name: /completed/ })).toHaveAttribute('href', '/runs/r7')
  expect(screen.queryByText('No schedule yet')).toBeNull()
  await userEvent.click(within(row).getByRole('switch', { name: 'demo/paid on events is active' }))
  await waitFor(() => expect(screen.getByRole('switch')).not.toBeChecked())
  expect(asked.find(a => a.method === 'PATCH')).toMatchObject({
    path: '/api/v1/triggers/demo/paid',
    body: '{"paused":true}',
  })
})

test('Without any the room says how one comes to be', async () => {
  serve(() => ({ json: { items: [], next: null } }))
  renderPage(<SchedulesPage />)
  expect(await screen.findByText('No schedule yet')).toBeVisible()
})

test('One schedule tells what comes, what was, and starts a run when asked', async () => {
  const asked = serve(({ method }) =>
    method === 'POST'
      ? { status: 201, json: { id: '019a0000-0000-7000-8000-000000000001' } }
      : {
          json: {
            schedule,
            next: [{ tick: '2099-01-01T01:00:00Z', at: '2099-01-01T01:00:07Z' }],
            runs: [schedule.lastRun],
          },
        },
  )
  renderPage(<SchedulePage namespace="demo" name="nightly" />)
  expect(await screen.findByText(/overlap: skip · catch up: latest within P1D · 2 skipped/)).toBeVisible()
  expect(screen.getByRole('region', { name: 'Next ticks' })).toHaveTextContent('2099-01-01')
  expect(screen.getByRole('region', { name: 'Runs of its latest ticks' })).toHaveTextContent('faulted')
  await userEvent.click(screen.getByRole('button', { name: 'Run now' }))
  await waitFor(() => expect(asked.some(a => a.path === '/api/v1/schedules/demo/nightly/runs')).toBe(true))
})

test('A time that has passed is made up for, once it is said which', async () => {
  const asked = serve(({ method }) =>
    method === 'POST' ? { json: { started: 3, known: 1 } } : { json: { schedule, next: [], runs: [] } },
  )
  renderPage(<SchedulePage namespace="demo" name="nightly" />)
  await userEvent.click(await screen.findByRole('button', { name: 'Backfill…' }))
  const dialog = screen.getByRole('dialog', { name: 'Make up for a time', hidden: true })
  const start = within(dialog).getByRole('button', { name: 'Start the runs', hidden: true })
  await userEvent.click(start)
  expect(within(dialog).getByLabelText('From')).toHaveAccessibleDescription(/Say where it begins\./)
  expect(asked.some(a => a.method === 'POST')).toBe(false)
  fireEvent.change(within(dialog).getByLabelText('From'), { target: { value: '2026-11-01T00:00' } })
  fireEvent.change(within(dialog).getByLabelText('To'), { target: { value: '2026-11-05T00:00' } })
  await userEvent.click(start)
  expect(await screen.findByText('3 runs begin; 1 tick had one already.')).toBeVisible()
  const sent = asked.find(a => a.method === 'POST')!
  expect(sent.path).toBe('/api/v1/schedules/demo/nightly/backfill')
  expect(JSON.parse(sent.body!)).toEqual({
    from: new Date('2026-11-01T00:00').toISOString(),
    to: new Date('2026-11-05T00:00').toISOString(),
  })
})

test('A schedule whose runs follow each other has nothing to make up for', async () => {
  serve(() => ({ json: { schedule: { ...schedule, times: { after: 'PT5M' } }, next: [], runs: [] } }))
  renderPage(<SchedulePage namespace="demo" name="nightly" />)
  expect(await screen.findByRole('button', { name: 'Run now' })).toBeVisible()
  expect(screen.queryByRole('button', { name: 'Backfill…' })).toBeNull()
})

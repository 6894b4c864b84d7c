// @vitest-environment jsdom
import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import { runOf } from '~/test-data'
import { renderPage, serve } from '~/test-server'
import type { WorkspaceEvent } from './event'
import { EventPage } from './event-page'
import { EventsPage } from './events-page'

const paid: WorkspaceEvent = {
  position: 41,
  type: 'order.paid',
  source: '/shop',
  id: 'e-41',
  subject: 'order 17',
  receivedAt: '2026-11-20T15:00:00Z',
  size: 120,
}

const envelope = { specversion: '1.0', id: 'e-41', source: '/shop', type: 'order.paid', data: { order: 17 } }
const page = (items: unknown[]) => ({ json: { items, next: null } })
const ignore = () => {}

async function fill(field: HTMLElement, text: string) {
  await userEvent.clear(field)
  await userEvent.click(field)
  await userEvent.paste(text)
}

test('Events are listed and filtered by type and source', async () => {
  const asked = serve(() => page([paid]))
  const onFilter = vi.fn()
  renderPage(<EventsPage filter={{ source: '/shop' }} onFilter={onFilter} onSent={ignore} />)
  const row = (await screen.findAllByRole('row'))[1]!
  expect(row).toHaveTextContent('41')
  expect(row).toHaveTextContent('order 17')
  expect(within(row).getByRole('link', { name: 'order.paid, event 41' })).toHaveAttribute('href', '/events/41')
  expect(asked[0]!.path).toBe('/api/v1/events?source=%2Fshop&limit=50')
  await fill(screen.getByLabelText('Type'), ' order.paid ')
  await userEvent.click(screen.getByRole('button', { name: 'Filter' }))
  expect(onFilter).toHaveBeenLastCalledWith({ type: 'order.paid', source: '/shop' })
  await userEvent.click(screen.getByRole('button', { name: 'All events' }))
  expect(onFilter).toHaveBeenLastCalledWith({})
})

test('An event is sent once, however often it is asked for', async () => {
  let up = false
  const asked = serve(({ method }) => {
    if (method !== 'POST') return page([])
    if (!up) return { status: 503, json: { title: 'The disk is full.', code: 'storage.full' } }
    return { status: 202, json: { kept: 1, duplicates: 0, items: [{ position: 42, duplicate: false }] } }
  })
  const onSent = vi.fn()
  renderPage(<EventsPage filter={{ type: 'order.paid' }} onFilter={ignore} onSent={onSent} />)
  await userEvent.click(await screen.findByRole('button', { name: 'Send an event' }))
  const dialog = within(screen.getByRole('dialog', { name: 'Send an event', hidden: true }))
  expect(dialog.getByLabelText(/^Type/)).toHaveValue('order.paid')
  await fill(dialog.getByLabelText('Data'), '{"order": ')
  const send = dialog.getByRole('button', { name: 'Send', hidden: true })
  await userEvent.click(send)
  expect(asked.filter(a => a.method === 'POST')).toHaveLength(0)
  expect(dialog.getByLabelText('Data')).toHaveAttribute('aria-invalid', 'true')
  await fill(dialog.getByLabelText('Data'), '{"order": 17}')
  await userEvent.click(send)
  expect(await dialog.findByText('The disk is full.')).toBeVisible()
  up = true
  await userEvent.click(send)
  await vi.waitFor(() => expect(onSent).toHaveBeenCalledWith(42))
  const bodies = asked.filter(a => a.method === 'POST').map(a => JSON.parse(a.body!) as { id: string; data: unknown })
  expect(bodies).toHaveLength(2)
  expect(bodies[0]!.id).toBe(bodies[1]!.id)
  expect(bodies[1]).toMatchObject({ type: 'order.paid', source: '/millrace/page', data: { order: 17 } })
})

test('One event shows its envelope and who heard it', async () => {
  serve(({ path }) => {
    if (path.includes('/runs')) return page([{ run: runOf({ state: 'completed' }), started: true }])
    return { json: { ...paid, event: envelope } }
  })
  renderPage(<EventPage position={41} />)
  expect(await screen.findByRole('heading', { name: 'order.paid' })).toBeVisible()
  expect(screen.getByRole('region', { name: 'event' })).toHaveTextContent('specversion')
  const heard = within(await screen.findByRole('list', { name: 'Who heard it' }))
  expect(await heard.findByRole('link')).toHaveTextContent(/completed.*tests\/greet.*started by it/)
})

test('An event that nobody heard says so', async () => {
  serve(({ path }) => (path.includes('/runs') ? page([]) : { json: { ...paid, event: envelope } }))
  renderPage(<EventPage position={41} />)
  expect(await screen.findByText('Nobody yet')).toBeVisible()
})

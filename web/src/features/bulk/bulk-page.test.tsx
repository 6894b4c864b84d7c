// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import { renderPage, serve } from '~/test-server'
import type { BulkWork } from './bulk'
import { BulkDialog } from './bulk-dialog'
import { BulkPage } from './bulk-page'

const work: BulkWork = {
  id: 'b1',
  action: 'retry',
  request: {
    action: 'retry',
    filter: { states: ['faulted'], namespace: 'shop', name: 'order' },
    reason: 'Wrong price.',
  },
  state: 'running',
  found: 8,
  done: 3,
  refused: 1,
  refusals: [{ run: '019a0000-0000-7000-8000-0000deadbeef', code: 'run.not_failed', detail: 'It goes on already.' }],
  createdAt: '2026-11-20T00:00:00Z',
  updatedAt: '2026-11-20T00:00:01Z',
}

test('A work says what it is about, how far it is, and whom it did not fit; and is stopped', async () => {
  let state: BulkWork['state'] = 'running'
  const asked = serve(({ method }) => {
    if (method === 'POST') state = 'cancelled'
    return method === 'POST' ? { status: 202, json: { ...work, state } } : { json: { items: [{ ...work, state }] } }
  })
  renderPage(<BulkPage />)
  const item = await screen.findByRole('listitem', { name: 'Retry faulted runs of shop/order' })
  expect(item).toHaveTextContent('3 of 8 done, 1 refused')
  expect(item).toHaveTextContent('Wrong price.')
  expect(within(item).getByRole('progressbar')).toHaveAttribute('aria-valuenow', '50')
  await userEvent.click(within(item).getByText('Why they were refused'))
  expect(within(item).getByRole('link', { name: 'deadbeef' })).toBeVisible()
  await userEvent.click(within(item).getByRole('button', { name: 'Stop' }))
  expect(await screen.findByText('stopped')).toBeVisible()
  expect(asked.find(a => a.method === 'POST')!.path).toBe('/api/v1/runs/bulk/b1/cancellation')
  expect(screen.queryByRole('button', { name: 'Stop' })).not.toBeInTheDocument()
})

test('The same wish sent again after a failure has the same key, another has another', async () => {
  let up = false
  const asked = serve(() => {
    if (!up) throw new TypeError('Failed to fetch')
    return { status: 202, json: work }
  })
  const onStarted = vi.fn()
  renderPage(<BulkDialog filter={{ state: ['waiting', 'faulted'] }} onStarted={onStarted} onClose={() => {}} />)
  const dialog = await screen.findByRole('dialog', { hidden: true })
  const press = (name: string) => userEvent.click(within(dialog).getByRole('button', { name, hidden: true }))
  await press('Retry them all')
  expect(await within(dialog).findByText('The server cannot be reached.')).toBeInTheDocument()
  await press('Retry them all')
  await waitFor(() => expect(asked).toHaveLength(2))
  up = true
  await userEvent.selectOptions(within(dialog).getByLabelText('What to do'), 'cancel')
  await press('Cancel them all')
  await waitFor(() => expect(onStarted).toHaveBeenCalled())
  const keys = asked.map(a => a.headers['idempotency-key'])
  expect(keys[0]).toBe(keys[1])
  expect(keys[2]).not.toBe(keys[0])
  expect(asked.map(a => JSON.parse(a.body!) as unknown)).toEqual([
    { action: 'retry', filter: { states: ['faulted'], children: false } },
    { action: 'retry', filter: { states: ['faulted'], children: false } },
    { action: 'cancel', filter: { states: ['waiting'], children: false } },
  ])
})

test('An action that fits no state of the list is not offered to be sent', async () => {
  serve(() => undefined)
  renderPage(<BulkDialog filter={{ state: ['completed'] }} onStarted={() => {}} onClose={() => {}} />)
  const dialog = await screen.findByRole('dialog', { hidden: true })
  await userEvent.selectOptions(within(dialog).getByLabelText('What to do'), 'resume')
  expect(within(dialog).getByText(/it is for runs that are suspended/)).toBeInTheDocument()
  expect(within(dialog).getByRole('button', { name: 'Resume them all', hidden: true })).toBeDisabled()
})

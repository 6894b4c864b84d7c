// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import { renderPage, serve } from '~/test-server'
import type { Sink } from './sink'
import { SinksPage } from './sinks-page'

const failing: Sink = {
  id: 's1',
  name: 'ops',
  url: 'https://ops.example.com/events',
  types: ['order.*', 'io.serverlessworkflow.workflow.faulted.v1'],
  secret: 'opsToken',
  mode: 'binary',
  state: 'failing',
  position: 7,
  pending: 10_000,
  delivered: 41,
  attempts: 3,
  error: 'It answered 503 Service Unavailable.',
  failingSince: '2026-11-20T00:00:00Z',
  nextTryAt: '2099-01-01T00:00:00Z',
  patienceSeconds: 5_400,
  createdAt: '2026-11-20T00:00:00Z',
  updatedAt: '2026-11-20T00:00:00Z',
}

/** At once: typed letter by letter it takes seconds. */
async function fill(field: HTMLElement, text: string) {
  await userEvent.click(field)
  await userEvent.paste(text)
}

const listing = (...items: Sink[]) => ({ json: { items, next: null } })

test('A sink that fails says why, since when, how often and when it is tried again', async () => {
  serve(() => listing(failing))
  renderPage(<SinksPage />)
  const row = await screen.findByRole('row', { name: 'ops' })
  expect(row).toHaveTextContent('failing')
  expect(row).toHaveTextContent('41 delivered')
  expect(row).toHaveTextContent('10000 or more behind')
  expect(row).toHaveTextContent(
    /It answered 503 Service Unavailable\. 3 attempts, the first .* ago\. The next comes in/,
  )
})

test('Why the list did not come stays until somebody tries again', async () => {
  vi.useFakeTimers()
  try {
    const asked = serve(() => ({ status: 503, json: { title: 'The disk is full.', code: 'storage.unavailable' } }))
    renderPage(<SinksPage />)
    await vi.waitFor(() => expect(screen.getByRole('alert')).toHaveTextContent('The disk is full.'))
    const before = asked.length
    await vi.advanceTimersByTimeAsync(20_000)
    expect(asked).toHaveLength(before)
    expect(screen.getByRole('alert')).toHaveTextContent('The disk is full.')
  } finally {
    vi.useRealTimers()
  }
})

test('One that was given up is resumed', async () => {
  const asked = serve(({ method }) =>
    method === 'PATCH' ? { json: failing } : listing({ ...failing, state: 'dead', deadAt: failing.createdAt }),
  )
  renderPage(<SinksPage />)
  expect(await screen.findByText('given up')).toBeVisible()
  await userEvent.click(screen.getByRole('button', { name: 'Resume ops' }))
  expect(await screen.findByText('ops goes on from where it stood.')).toBeVisible()
  expect(asked.find(a => a.method === 'PATCH')).toMatchObject({ path: '/api/v1/sinks/s1', body: '{"paused":false}' })
})

test('The form begins with what the sink is and sends all of it', async () => {
  const asked = serve(({ method }) => (method === 'PATCH' ? { json: failing } : listing(failing)))
  renderPage(<SinksPage />)
  await userEvent.click(await screen.findByRole('button', { name: 'Edit ops' }))
  const dialog = screen.getByRole('dialog', { name: 'Edit ops', hidden: true })
  const field = (name: string | RegExp) => within(dialog).getByLabelText(name)
  expect(field('Give up after')).toHaveValue(90)
  expect(field('Unit of time')).toHaveValue('minutes')
  await userEvent.clear(field('Secret'))
  await userEvent.clear(field('Types'))
  await fill(field('Types'), 'order.paid, order.sent')
  await userEvent.click(within(dialog).getByRole('button', { name: 'Save', hidden: true }))
  await waitFor(() => expect(asked.some(a => a.method === 'PATCH')).toBe(true))
  expect(JSON.parse(asked.find(a => a.method === 'PATCH')!.body!)).toEqual({
    name: 'ops',
    url: 'https://ops.example.com/events',
    types: ['order.paid', 'order.sent'],
    secret: '',
    mode: 'binary',
    patienceSeconds: 5_400,
  })
})

test('What is wrong stands at its field, whether the page or the server found it', async () => {
  const asked = serve(({ method }) =>
    method === 'POST'
      ? {
          status: 400,
          json: {
            title: 'The request is not valid.',
            code: 'request.invalid',
            errors: [{ pointer: '/types', message: 'A type is not empty.', expected: 'such as com.example.order.*' }],
          },
        }
      : listing(),
  )
  renderPage(<SinksPage />)
  await userEvent.click(await screen.findByRole('button', { name: 'Add a sink' }))
  const dialog = screen.getByRole('dialog', { name: 'Add a sink', hidden: true })
  const add = within(dialog).getByRole('button', { name: 'Add', hidden: true })
  await userEvent.click(add)
  expect(within(dialog).getByLabelText(/^Name/)).toHaveAccessibleDescription('A sink needs a name.')
  expect(asked.some(a => a.method === 'POST')).toBe(false)
  await fill(within(dialog).getByLabelText(/^Name/), 'ops')
  await fill(within(dialog).getByLabelText(/^Address/), 'https://ops.example.com/')
  await fill(within(dialog).getByLabelText('Types'), '*a')
  await userEvent.click(add)
  expect(await within(dialog).findByText(/A type is not empty\. Expected: such as/)).toBeInTheDocument()
  expect(JSON.parse(asked.find(a => a.method === 'POST')!.body!)).not.toHaveProperty('secret')
})

// @vitest-environment jsdom
import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { renderPage, serve, type Asked } from '~/test-server'
import { WorkspacePage } from './workspace-page'

const line = { name: 'shop/orders', key: 'acme', kind: 'slot', limit: 2, isSetting: false, held: 2, queued: 5 }
const letter = (id: string) => ({
  id,
  kind: 'event',
  subject: `${id} /shop`,
  definition: `shop/${id}`,
  reason: 'event.failed',
  times: 1,
})

/** A workspace that remembers what it is told. */
function workspace(answer: (asked: Asked) => { status?: number; json?: unknown } | undefined = () => undefined) {
  let limits: unknown = { weight: 2, limit: 100 }
  let retention: unknown = { completed: 'P7D', faulted: null, cancelled: null }
  return serve(asked => {
    const { path, method, body } = asked
    const own = answer(asked)
    if (own) return own
    if (path === '/api/v1/limits/workspace') return { json: method === 'PUT' ? (limits = JSON.parse(body!)) : limits }
    if (path === '/api/v1/retention') return { json: method === 'PUT' ? (retention = JSON.parse(body!)) : retention }
    if (path.startsWith('/api/v1/limits?')) return { json: { items: [line], next: null } }
    if (path.startsWith('/api/v1/limits/')) return { json: JSON.parse(body!) as unknown }
    if (path.startsWith('/api/v1/dead-letters?')) return { json: { items: [letter('a'), letter('b')], next: null } }
    if (path.startsWith('/api/v1/resources?')) return { json: { items: [], next: null } }
    if (path.startsWith('/api/v1/dead-letters/')) return { json: { done: 1, runs: [], refused: [], more: false } }
    return undefined
  })
}

const sent = (asked: Asked[], method: string) => asked.filter(a => a.method === method).map(a => [a.path, a.body])

test('A limit is changed where it stands', async () => {
  const asked = workspace()
  renderPage(<WorkspacePage />)
  const item = within(await screen.findByRole('list', { name: 'Limits' })).getByRole('listitem')
  expect(item).toHaveTextContent('2 of 2 at work, 5 waiting')
  const most = within(item).getByLabelText('Limit of shop/orders for acme')
  const change = within(item).getByRole('button', { name: 'Change' })
  expect(change).toBeDisabled()
  await userEvent.clear(most)
  await userEvent.type(most, '2.5')
  expect(change).toBeDisabled()
  await userEvent.clear(most)
  await userEvent.type(most, '7')
  await userEvent.click(change)
  expect(await screen.findByText('shop/orders is 7 now, for all its keys.')).toBeVisible()
  expect(sent(asked, 'PUT')).toEqual([['/api/v1/limits/shop/orders', '{"limit":7}']])
})

test('What the workspace has set is taken back', async () => {
  const asked = workspace(({ path }) =>
    path.startsWith('/api/v1/limits?') ? { json: { items: [{ ...line, isSetting: true }], next: null } } : undefined,
  )
  renderPage(<WorkspacePage />)
  await userEvent.click(await screen.findByRole('button', { name: 'As the documents say' }))
  expect(await screen.findByText('shop/orders is what the documents say.')).toBeVisible()
  expect(sent(asked, 'PUT')).toEqual([['/api/v1/limits/shop/orders', '{"limit":null}']])
})

test('What waits for quiet, or for the workspace itself, has no number of its own', async () => {
  workspace(({ path }) =>
    path.startsWith('/api/v1/limits?')
      ? {
          json: {
            items: [
              { ...line, kind: 'quiet' },
              { ...line, name: 'workspace', key: '' },
            ],
            next: null,
          },
        }
      : undefined,
  )
  renderPage(<WorkspacePage />)
  expect(within(await screen.findByRole('list', { name: 'Limits' })).getAllByRole('listitem')).toHaveLength(2)
  expect(screen.queryByRole('button', { name: 'Change' })).toBeNull()
})

test('A limit that nobody waits for is set by its name', async () => {
  const asked = workspace()
  renderPage(<WorkspacePage />)
  await userEvent.click(await screen.findByRole('button', { name: 'Set a limit…' }))
  const dialog = screen.getByRole('dialog', { name: 'Set a limit', hidden: true })
  const set = within(dialog).getByRole('button', { name: 'Set it', hidden: true })
  await userEvent.click(set)
  expect(within(dialog).getByLabelText(/^Name/)).toHaveAccessibleDescription(/A limit has a name\./)
  await userEvent.click(within(dialog).getByLabelText(/^Name/))
  await userEvent.paste('printers')
  await userEvent.click(within(dialog).getByLabelText('At once'))
  await userEvent.paste('3')
  await userEvent.click(set)
  expect(await screen.findByText('printers is 3 now, for all its keys.')).toBeVisible()
  expect(sent(asked, 'PUT')).toEqual([['/api/v1/limits/printers', '{"limit":3}']])
})

test('The weight is changed and the limit beside it stays', async () => {
  const asked = workspace()
  renderPage(<WorkspacePage />)
  const form = await screen.findByRole('form', { name: 'Share and limit' })
  const save = within(form).getByRole('button', { name: 'Save share and limit' })
  expect(save).toBeDisabled()
  await userEvent.clear(within(form).getByLabelText('Weight'))
  await userEvent.type(within(form).getByLabelText('Weight'), '101')
  expect(within(form).getByLabelText('Weight')).toHaveAccessibleDescription(/A whole number from 1 to 100\./)
  expect(save).toBeDisabled()
  await userEvent.clear(within(form).getByLabelText('Weight'))
  await userEvent.type(within(form).getByLabelText('Weight'), '3')
  await userEvent.click(save)
  expect(await screen.findByText('The workspace’s share and limit are changed.')).toBeVisible()
  expect(sent(asked, 'PUT')).toEqual([['/api/v1/limits/workspace', '{"weight":3,"limit":100}']])
})

test('Retention is changed, and what is refused of it stands at its field', async () => {
  const refusal = {
    title: 'The request is not valid.',
    code: 'request.invalid',
    errors: [{ pointer: '/faulted', message: 'It is no duration.', expected: 'P30D' }],
  }
  const asked = workspace(({ method, body }) =>
    method === 'PUT' && body!.includes('soon') ? { status: 400, json: refusal } : undefined,
  )
  renderPage(<WorkspacePage />)
  const form = await screen.findByRole('form', { name: 'Retention' })
  const save = () => userEvent.click(within(form).getByRole('button', { name: 'Save retention' }))
  await userEvent.type(within(form).getByLabelText('Faulted runs'), 'soon')
  await save()
  expect(await within(form).findByText('It is no duration. Expected: P30D.')).toBeVisible()
  await userEvent.clear(within(form).getByLabelText('Faulted runs'))
  await userEvent.type(within(form).getByLabelText('Faulted runs'), 'P30D')
  await userEvent.clear(within(form).getByLabelText('Completed runs'))
  await save()
  expect(await screen.findByText('Runs that end from now on are kept for so long.')).toBeVisible()
  expect(sent(asked, 'PUT').at(-1)).toEqual([
    '/api/v1/retention',
    '{"completed":null,"faulted":"P30D","cancelled":null}',
  ])
})

test('One dead letter is tried again, another is forgotten when asked twice, and the rest is left alone', async () => {
  const asked = workspace()
  renderPage(<WorkspacePage />)
  await userEvent.click(await screen.findByRole('button', { name: 'Try again: shop/a' }))
  await expect.poll(() => sent(asked, 'POST')).toEqual([['/api/v1/dead-letters/requeue', '{"ids":["a"]}']])
  await userEvent.click(screen.getByRole('button', { name: 'Forget… shop/b' }))
  const dialog = screen.getByRole('dialog', { name: 'Forget this dead letter?', hidden: true })
  expect(sent(asked, 'POST')).toHaveLength(1)
  await userEvent.click(within(dialog).getByRole('button', { name: 'Forget', hidden: true }))
  await expect.poll(() => sent(asked, 'POST').at(-1)).toEqual(['/api/v1/dead-letters/discard', '{"ids":["b"]}'])
})

test('Dead letters are filtered, and all that fit are tried again, also those that are not shown', async () => {
  let left = 2
  const asked = workspace(({ path }) =>
    path === '/api/v1/dead-letters/requeue'
      ? { json: { done: 500, runs: [], refused: [], ...(--left > 0 ? { next: 'l500' } : {}) } }
      : undefined,
  )
  renderPage(<WorkspacePage />)
  const form = within(await screen.findByRole('form', { name: 'Filter the dead letters' }))
  await userEvent.selectOptions(form.getByLabelText('Kind'), 'event')
  await userEvent.click(form.getByLabelText('Reason'))
  await userEvent.paste('event.failed')
  await userEvent.click(form.getByLabelText('Definition'))
  await userEvent.paste('shop/a')
  await userEvent.click(form.getByRole('button', { name: 'Filter' }))
  await userEvent.click(await screen.findByRole('button', { name: 'Try all that fit again' }))
  expect(
    asked.some(a => a.path.startsWith('/api/v1/dead-letters?kind=event&reason=event.failed&definition=shop%2Fa')),
  ).toBe(true)
  const wish = '{"kind":"event","reason":"event.failed","definition":"shop/a"'
  await expect
    .poll(() => sent(asked, 'POST'))
    .toEqual([
      ['/api/v1/dead-letters/requeue', `${wish}}`],
      ['/api/v1/dead-letters/requeue', `${wish},"after":"l500"}`],
    ])
})

test('Resources are listed by their address, and one is removed when asked twice', async () => {
  const petstore = { name: 'apis/pets.yaml', address: 'resource:///apis/pets.yaml', mediaType: 'application/yaml' }
  const more = { size: 120, sha256: 'x', createdAt: '2026-11-20T00:00:00Z', updatedAt: '2026-11-20T00:00:00Z' }
  const asked = workspace(({ path, method }) => {
    if (method === 'DELETE') return { json: {} }
    return path.startsWith('/api/v1/resources?')
      ? { json: { items: [{ ...petstore, ...more }], next: null } }
      : undefined
  })
  renderPage(<WorkspacePage />)
  const list = within(await screen.findByRole('list', { name: 'Resources' }))
  expect(await list.findByRole('link')).toHaveTextContent('resource:///apis/pets.yaml')
  await userEvent.click(list.getByRole('button', { name: 'Remove apis/pets.yaml' }))
  expect(asked.some(a => a.method === 'DELETE')).toBe(false)
  const dialog = screen.getByRole('dialog', { name: 'Remove apis/pets.yaml?', hidden: true })
  await userEvent.click(within(dialog).getByRole('button', { name: 'Remove it', hidden: true }))
  await expect.poll(() => sent(asked, 'DELETE')).toEqual([['/api/v1/resources/apis/pets.yaml', undefined]])
})

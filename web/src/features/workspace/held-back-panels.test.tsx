// @vitest-environment jsdom
import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test } from 'vitest'
import { renderPage, serve } from '~/test-server'
import { HeldBack } from './held-back-panels'

const limit = { name: 'shop/orders', key: 'a', kind: 'slot', limit: 2, held: 2, queued: 5 }
const letter = {
  id: 'l1',
  kind: 'run',
  subject: 'r1',
  definition: 'shop/orders',
  reason: 'run.given_up',
  error: { type: 't', status: 404, title: 'Definition not found' },
  times: 1,
}

describe('What is held back', () => {
  test('is not shown while nothing is', async () => {
    const asked = serve(() => ({ json: { items: [], next: null } }))
    renderPage(<HeldBack />)
    await expect.poll(() => asked.length).toBeGreaterThan(1)
    expect(screen.queryByText('Limits')).toBeNull()
    expect(screen.queryByText('Dead letters')).toBeNull()
  })

  test('says how many runs wait for which limit', async () => {
    serve(({ path }) => ({ json: { items: path.startsWith('/api/v1/limits') ? [limit] : [], next: null } }))
    renderPage(<HeldBack />)
    expect(await screen.findByText(/2 of 2 at work, 5 waiting/)).toBeInTheDocument()
  })

  test('tries dead letters again and says why one stays', async () => {
    const asked = serve(({ path, method }) => {
      if (method === 'POST')
        return { json: { done: 0, runs: [], refused: [{ id: 'l1', detail: 'It is still gone.' }], more: false } }
      return { json: { items: path.startsWith('/api/v1/dead-letters') ? [letter] : [], next: null } }
    })
    renderPage(<HeldBack />)
    await userEvent.click(await screen.findByRole('button', { name: 'Try all again' }))
    expect(await screen.findByText('It is still gone.')).toBeInTheDocument()
    expect(asked.find(a => a.method === 'POST')?.body).toBe('{"ids":["l1"]}')
  })

  test('forgets dead letters only when asked twice, and says that it is not about those it does not show', async () => {
    const asked = serve(({ path, method }) => {
      if (method === 'POST') return { json: { done: 2, runs: [], refused: [], more: true } }
      const items = [letter, { ...letter, id: 'l2' }]
      return { json: path.startsWith('/api/v1/dead-letters') ? { items, next: 'more' } : { items: [], next: null } }
    })
    renderPage(<HeldBack />)
    await userEvent.click(await screen.findByRole('button', { name: 'Forget these 2…' }))
    expect(asked.some(a => a.method === 'POST')).toBe(false)
    const dialog = screen.getByRole('dialog', { name: 'Forget 2 dead letters?', hidden: true })
    await userEvent.click(within(dialog).getByRole('button', { name: 'Forget', hidden: true }))
    await expect.poll(() => asked.find(a => a.method === 'POST')?.path).toBe('/api/v1/dead-letters/discard')
    expect(asked.find(a => a.method === 'POST')?.body).toBe('{"ids":["l1","l2"]}')
    await expect.poll(() => screen.queryByRole('dialog', { hidden: true })).toBeNull()
  })
})

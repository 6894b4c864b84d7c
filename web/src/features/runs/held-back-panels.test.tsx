// @vitest-environment jsdom
import { screen } from '@testing-library/react'
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
})

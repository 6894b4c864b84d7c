// @vitest-environment jsdom
import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test, vi } from 'vitest'
import { at, runOf } from '~/test-data'
import { renderPage, serve } from '~/test-server'
import { RunsPage } from './runs-page'

const page = (items: unknown[], next: string | null = null) => ({ json: { items, next } })
const run = (id: string) => runOf({ id, state: 'completed', endedAt: at(4200) })

describe('The list of runs', () => {
  test('says what to do when there is none', async () => {
    serve(({ path }) => (path.startsWith('/api/v1/runs') ? page([]) : { json: { runs: {} } }))
    renderPage(<RunsPage filter={{}} onFilter={() => {}} />)
    expect(await screen.findByText('No run yet')).toBeInTheDocument()
    expect(screen.getByRole('link', { name: 'Choose a definition' })).toBeInTheDocument()
  })

  test('shows state, duration and definition, and reads on by the cursor', async () => {
    const asked = serve(({ path }) => {
      if (path.includes('cursor=more')) return page([run('b')])
      return path.startsWith('/api/v1/runs') ? page([run('a')], 'more') : { json: { runs: { completed: 2 } } }
    })
    renderPage(<RunsPage filter={{ definition: 'tests/greet' }} onFilter={() => {}} />)
    const row = (await screen.findAllByRole('row'))[1]!
    expect(row).toHaveTextContent('completed')
    expect(row).toHaveTextContent('4.2 s')
    expect(within(row).getByRole('link')).toHaveTextContent('tests/greet')
    await userEvent.click(screen.getByRole('button', { name: 'Load more' }))
    expect(await screen.findAllByRole('row')).toHaveLength(3)
    expect(
      asked.filter(a => a.path.startsWith('/api/v1/runs')).every(a => a.path.includes('definition=tests%2Fgreet')),
    ).toBe(true)
  })

  test('changes the filter and leaves the rest of it', async () => {
    serve(({ path }) => (path.startsWith('/api/v1/runs') ? page([]) : { json: { runs: { faulted: 3 } } }))
    const onFilter = vi.fn()
    renderPage(<RunsPage filter={{ definition: 'tests/greet', state: ['waiting'] }} onFilter={onFilter} />)
    const faulted = await screen.findByRole('button', { name: /^faulted/ })
    expect(screen.getByRole('button', { name: /^waiting/ })).toHaveAttribute('aria-pressed', 'true')
    await userEvent.click(faulted)
    expect(onFilter).toHaveBeenLastCalledWith({ definition: 'tests/greet', state: ['waiting', 'faulted'] })
    await userEvent.click(screen.getByRole('button', { name: /Remove the filter definition/ }))
    expect(onFilter).toHaveBeenLastCalledWith({ state: ['waiting'] })
  })

  test('leaves out the children of other runs until they are asked for', async () => {
    const counts = { runs: { completed: 5 }, children: { completed: 3 } }
    const asked = serve(({ path }) => (path.startsWith('/api/v1/runs') ? page([run('a')]) : { json: counts }))
    const onFilter = vi.fn()
    renderPage(<RunsPage filter={{ state: ['completed'] }} onFilter={onFilter} />)
    expect(await screen.findByRole('button', { name: /^completed\s*2$/ })).toBeInTheDocument()
    await userEvent.click(await screen.findByRole('checkbox', { name: 'Children too' }))
    expect(onFilter).toHaveBeenLastCalledWith({ state: ['completed'], children: true })
    expect(asked.find(a => a.path.startsWith('/api/v1/runs'))!.path).toContain('children=false')
  })

  test('offers another try when the server is out of reach', async () => {
    let up = false
    serve(({ path }) => {
      if (!up) throw new TypeError('Failed to fetch')
      return path.startsWith('/api/v1/runs') ? page([]) : { json: { runs: {} } }
    })
    renderPage(<RunsPage filter={{}} onFilter={() => {}} />)
    const alert = await screen.findByRole('alert')
    expect(alert).toHaveTextContent('network.unreachable')
    up = true
    await userEvent.click(within(alert).getByRole('button', { name: 'Try again' }))
    expect(await screen.findByText('No run yet')).toBeInTheDocument()
  })

  test('shows what the stream said even when an older list arrives after it', async () => {
    let release = () => {}
    const held = new Promise<void>(resolve => (release = resolve))
    const asked = serve(async ({ path }) => {
      if (!path.startsWith('/api/v1/runs')) return { json: { runs: {} } }
      await held
      return page([runOf({ id: 'a', position: 1 })])
    })
    renderPage(<RunsPage filter={{}} onFilter={() => {}} />)
    await vi.waitFor(() => expect(asked.some(a => a.path.startsWith('/api/v1/runs'))).toBe(true))
    const done = runOf({ id: 'a', position: 2, state: 'completed', endedAt: at(4200) })
    asked.say(`id: 9\nevent: run\ndata: ${JSON.stringify(done)}\n\n`)
    await new Promise(resolve => setTimeout(resolve))
    release()
    expect((await screen.findAllByRole('row'))[1]).toHaveTextContent('completed')
  })
})

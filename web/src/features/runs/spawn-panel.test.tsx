// @vitest-environment jsdom
import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test } from 'vitest'
import type { RunState, Spawn, Step } from '~/lib/api'
import { at, runOf, stepOf } from '~/test-data'
import { renderPage, serve } from '~/test-server'
import type { ChunkResult } from './chunk-result'
import { SpawnPanel } from './spawn-panel'

const base = `/api/v1/runs/${runOf().id}/steps/1`

function open(runState: RunState, spawn: Partial<Spawn>, step: Partial<Step> = {}, chunks: ChunkResult[] = []) {
  const all: Spawn = { total: 10, completed: 5, failed: 1, running: 2, queued: 2, skipped: 0, concurrency: 2, ...spawn }
  const full = stepOf(1, { ...step, spawn: all })
  const asked = serve(({ path }) => {
    if (path === base || path === `${base}/concurrency`) return { json: full }
    if (path.startsWith(`${base}/results?`)) return { json: { items: chunks, next: null } }
    if (path === `${base}/redrive`) return { json: runOf() }
    return undefined
  })
  renderPage(
    <SpawnPanel
      run={runOf().id}
      runState={runState}
      step={{ ...full, spawn: { ...all, members: null } }}
      spawn={all}
    />,
  )
  return asked
}

describe('The children of a step', () => {
  test('are told by numbers, and their limit can be changed while it is under way', async () => {
    const asked = open('waiting', { firstError: { type: 'https://example.com/e', status: 418, title: 'Sour' } })
    expect(await screen.findByText('5 of 10 completed, 1 failed, 2 under way, 2 queued')).toBeInTheDocument()
    expect(screen.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '6')
    expect(screen.getByText(/First failure: Sour/)).toBeInTheDocument()
    expect(screen.queryByRole('button', { name: 'Redrive' })).toBeNull()
    const field = screen.getByLabelText('at once')
    await userEvent.clear(field)
    await userEvent.type(field, '40')
    await userEvent.click(screen.getByRole('button', { name: 'Change' }))
    expect(await screen.findByText('At most 40 children at once.')).toBeInTheDocument()
    expect(asked.some(a => a.path === `${base}/concurrency`)).toBe(true)
  })

  test('can be carried out again when the run has ended', async () => {
    const asked = open('faulted', { running: 0, queued: 4 }, { state: 'faulted', endedAt: at(500) })
    await userEvent.click(await screen.findByRole('button', { name: 'Redrive' }))
    expect(await screen.findByText('What did not complete is carried out again.')).toBeInTheDocument()
    expect(asked.some(a => a.path === `${base}/redrive`)).toBe(true)
  })

  test('have their results shown from where they are kept, and told of where that is over', async () => {
    const child = runOf().id
    open('completed', { results: 'reference' }, {}, [
      { chunk: 0, offset: 0, count: 2, state: 'completed', runs: [child], results: ['first', 'second'] },
      { chunk: 1, offset: 2, count: 1, state: 'gone', runs: [child] },
    ])
    expect(await screen.findByRole('link', { name: 'download the results' })).toHaveAttribute(
      'href',
      `${base}/results.jsonl`,
    )
    await userEvent.click(screen.getByRole('button', { name: 'Show the results' }))
    const list = await screen.findByRole('list', { name: 'Results' })
    expect(within(list).getByText('Results 0 to 1')).toBeInTheDocument()
    expect(within(list).getByText(/second/)).toBeInTheDocument()
    expect(within(list).getByText('The child run is not kept any more.')).toBeInTheDocument()
    expect(within(list).getAllByRole('link')).toHaveLength(2)
  })

  test('are listed by name in a swarm, with why one was skipped', async () => {
    open('completed', {
      total: 2,
      completed: 0,
      failed: 1,
      skipped: 1,
      running: 0,
      queued: 0,
      members: [
        {
          name: 'read',
          state: 'faulted',
          needs: [],
          error: { type: 'https://example.com/e', status: 418, title: 'Sour' },
        },
        { name: 'write', state: 'skipped', needs: ['read'], reason: "It needs 'read', which was faulted." },
      ],
    })
    const list = await screen.findByRole('list', { name: 'Members' })
    expect(within(list).getByText('read')).toBeInTheDocument()
    expect(within(list).getByText("It needs 'read', which was faulted.")).toBeInTheDocument()
  })
})

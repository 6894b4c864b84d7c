import { describe, expect, test } from 'vitest'
import type { BulkWork } from './bulk'
import { describe as words, firstAction, progress, statesFor, wishOf, type BulkForm } from './bulk-model'

const form: BulkForm = { action: 'retry', after: '', before: '', task: '', latest: false, reason: '' }

describe('A wish about many runs', () => {
  test('always says which states it is about, those of the list that fit', () => {
    expect(wishOf(form, {})).toEqual({ action: 'retry', filter: { states: ['faulted', 'cancelled'], children: false } })
    expect(wishOf(form, { children: true }).filter).toEqual({ states: ['faulted', 'cancelled'] })
    expect(statesFor('cancel', { state: ['faulted', 'waiting'] })).toEqual(['waiting'])
    expect(statesFor('resume', { state: ['faulted'] })).toEqual([])
  })

  test('takes over what the list is filtered by', () => {
    const after = '2026-11-20T15:01'
    const filter = { state: ['faulted' as const], definition: 'shop/order', forkOf: 'r1' }
    expect(wishOf({ ...form, after, latest: true, reason: ' wrong price ' }, filter)).toEqual({
      action: 'retry',
      filter: {
        states: ['faulted'],
        namespace: 'shop',
        name: 'order',
        forkOf: 'r1',
        createdAfter: new Date(after).toISOString(),
      },
      definition: { version: 'latest' },
      reason: 'wrong price',
    })
  })

  test('forks from a task or from the beginning, and asks nothing else for a version', () => {
    expect(wishOf({ ...form, action: 'fork' }, {})).toMatchObject({ seq: 0 })
    expect(wishOf({ ...form, action: 'fork', task: ' /do/1/pay ' }, {})).toMatchObject({ task: '/do/1/pay' })
    expect(wishOf({ ...form, action: 'fork', task: '/do/1/pay' }, {})).not.toHaveProperty('seq')
    expect(wishOf({ ...form, action: 'cancel', latest: true, task: '/do/1/pay' }, {})).toEqual({
      action: 'cancel',
      filter: { states: ['running', 'waiting', 'pending', 'suspended'], children: false },
    })
  })

  test('begins with the action that fits what the list shows', () => {
    expect(firstAction({})).toBe('retry')
    expect(firstAction({ state: ['waiting'] })).toBe('cancel')
    expect(firstAction({ state: ['completed'] })).toBe('fork')
  })

  test('is told in words', () => {
    expect(
      words(
        { action: 'fork', filter: { states: ['faulted'], namespace: 'shop', name: 'order' }, task: '/do/1/pay' },
        0,
      ),
    ).toBe('faulted runs of shop/order, just before /do/1/pay')
    expect(words({ action: 'retry', filter: { states: ['pending', 'faulted', 'cancelled'] } }, 0)).toBe(
      'pending, faulted or cancelled runs',
    )
    expect(words({ action: 'fork', filter: { states: statesFor('fork', {}) }, seq: 0 }, 0)).toBe(
      'all runs, from their beginning',
    )
    expect(words({ action: 'cancel', filter: { ids: ['a', 'b'] } }, 0)).toBe('2 chosen runs')
    expect(words({ action: 'cancel', filter: { states: ['waiting'], children: false } }, 0)).toBe(
      'waiting runs, without children',
    )
  })

  test('has come as far as runs were done or refused it', () => {
    const work = { found: 4, done: 1, refused: 1, state: 'running' } as BulkWork
    expect(progress(work)).toEqual({ done: 0.25, refused: 0.25 })
    expect(progress({ ...work, found: 0, done: 0, refused: 0 })).toEqual({ done: 0, refused: 0 })
    // Ids that were named twice, or a count that stopped at its limit.
    expect(progress({ ...work, found: 1 })).toEqual({ done: 0.5, refused: 0.5 })
  })
})

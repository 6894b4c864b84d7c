import { describe, expect, test } from 'vitest'
import type { Run } from '~/lib/api'
import { at, runOf } from '~/test-data'
import { foldRun, matches } from './run-list-model'

const run = (id: string, ms: number, more: Partial<Run> = {}) => runOf({ id, createdAt: at(ms), ...more })
const pages = [
  { items: [run('d', 40), run('c', 30)], next: 'x' },
  { items: [run('b', 20), run('a', 10)], next: null },
]
const ids = (list: { items: Run[] }[]) => list.map(p => p.items.map(r => r.id).join('')).join('|')

describe('A change of a run in a list', () => {
  test('replaces the run in place', () => {
    const after = foldRun(pages, {}, run('b', 20, { state: 'completed', position: 9 }))
    expect(ids(after)).toBe('dc|ba')
    expect(after[1]!.items[0]!.state).toBe('completed')
  })

  test('does not go back to an older position', () => {
    const before = [{ items: [run('a', 10, { position: 7, state: 'completed' })], next: null }]
    expect(foldRun(before, {}, run('a', 10, { position: 3 }))[0]!.items[0]!.state).toBe('completed')
  })

  test('puts a new run on top', () => {
    expect(ids(foldRun(pages, {}, run('e', 50)))).toBe('edc|ba')
  })

  test('puts a late one in its place', () => {
    expect(ids(foldRun(pages, {}, run('x', 25)))).toBe('dc|xba')
    expect(ids(foldRun(pages, {}, run('x', 15)))).toBe('dc|bxa')
    expect(ids(foldRun(pages, {}, run('x', 5)))).toBe('dc|bax')
  })

  test('leaves out a run that belongs on a page not read yet', () => {
    expect(ids(foldRun([pages[0]!], {}, run('x', 5)))).toBe('dc')
  })

  test('removes a run that the filter no longer matches', () => {
    expect(ids(foldRun(pages, { state: ['running'] }, run('c', 30, { state: 'faulted', position: 2 })))).toBe('d|ba')
  })

  test('is nothing when the list is as new', () => {
    expect(foldRun(pages, {}, run('c', 30))).toBe(pages)
    expect(foldRun(pages, { state: ['faulted'] }, run('x', 25))).toBe(pages)
  })

  test('begins an empty list', () => {
    expect(ids(foldRun([{ items: [], next: null }], {}, run('a', 1)))).toBe('a')
  })
})

describe('A filter', () => {
  test('asks for state, definition and parent', () => {
    expect(matches({ state: ['faulted'] }, run('a', 0))).toBe(false)
    expect(matches({ state: [], definition: 'tests/greet' }, run('a', 0))).toBe(true)
    expect(matches({ definition: 'tests/other' }, run('a', 0))).toBe(false)
    const child = run('a', 0, { parent: { run: 'p', step: 2 } })
    expect([matches({}, child), matches({ children: true }, child), matches({ parent: 'q' }, child)]).toEqual([
      false,
      true,
      false,
    ])
    expect(matches({ parent: 'p' }, run('a', 0, { parent: { run: 'p', step: 2 } }))).toBe(true)
  })
})

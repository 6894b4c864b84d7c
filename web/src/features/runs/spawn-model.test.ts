import { describe, expect, test } from 'vitest'
import type { Spawn, SpawnMember } from '~/lib/api'
import { canRedrive, graphOf, sharesOf, summaryOf } from './spawn-model'

const spawn = (over: Partial<Spawn> = {}): Spawn => ({
  total: 10,
  completed: 5,
  failed: 1,
  running: 2,
  queued: 2,
  skipped: 0,
  concurrency: 2,
  ...over,
})

describe('Children of a map', () => {
  test('are told in one line and shown as shares of the whole', () => {
    expect(summaryOf(spawn())).toBe('5 of 10 completed, 1 failed, 2 under way, 2 queued')
    expect(sharesOf(spawn()).map(s => [s.state, s.share])).toEqual([
      ['completed', 0.5],
      ['faulted', 0.1],
      ['running', 0.2],
    ])
  })

  test('have no total while nobody knows it', () => {
    expect(summaryOf(spawn({ total: null, queued: null, failed: 0 }))).toBe('5 completed, 2 under way')
    expect(sharesOf(spawn({ total: null, failed: 3 })).map(s => s.share)).toEqual([0.5, 0.3, 0.2])
  })

  test('can be carried out again where some did not complete', () => {
    expect(canRedrive(spawn({ completed: 10, failed: 0, running: 0 }))).toBe(false)
    expect(canRedrive(spawn({ completed: 9, failed: 1, running: 0 }))).toBe(true)
    expect(canRedrive(spawn({ completed: 4, failed: 0, running: 0 }))).toBe(true)
  })
})

test('The members of a swarm are drawn with an edge from each need', () => {
  const member = (name: string, ...needs: string[]): SpawnMember => ({ name, state: 'pending', needs })
  const { nodes, edges } = graphOf([member('a'), member('b', 'a'), member('c', 'a', 'b')])
  expect(nodes.map(n => n.name)).toEqual(['a', 'b', 'c'])
  expect(edges.map(e => [e.from, e.to])).toEqual([
    [null, 0],
    [0, 1],
    [0, 2],
    [1, 2],
  ])
})

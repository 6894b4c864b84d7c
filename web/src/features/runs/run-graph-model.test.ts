import { describe, expect, test } from 'vitest'
import type { Graph } from '~/lib/api'
import { stepMap, stepOf } from '~/test-data'
import { activityOf, attentionOf } from './run-graph-model'

const top = { parent: null, slot: 'do' }
const graph: Graph = {
  nodes: [
    { ...top, id: 0, name: 'route', reference: '/do/0/route', kind: 'switch', line: 7 },
    { ...top, id: 1, name: 'small', reference: '/do/1/small', kind: 'set', line: 12 },
    { ...top, id: 2, name: 'loop', reference: '/do/2/loop', kind: 'for', line: 16 },
    { parent: 2, slot: 'for', id: 3, name: 'each', reference: '/do/2/loop/do/0/each', kind: 'set', line: 20 },
  ],
  edges: [],
}
const done = { state: 'completed' as const }

describe('The activity of a run on its graph', () => {
  test('counts the steps of a node and shows the one that is active', () => {
    const { nodes } = activityOf(
      graph,
      stepMap(
        stepOf(1, { node: 2 }),
        stepOf(2, { node: 3, parent: 1, iteration: 0, state: 'faulted' }),
        stepOf(3, { node: 3, parent: 1, iteration: 1, state: 'waiting' }),
      ),
    )
    expect(nodes.get(3)).toMatchObject({ state: 'waiting', total: 2, faulted: 1 })
    expect(nodes.get(3)!.latest.id).toBe(3)
    expect(nodes.has(1)).toBe(false)
  })

  test('marks only the edges that were gone along', () => {
    const { taken } = activityOf(graph, stepMap(stepOf(1, { node: 0, ...done }), stepOf(2, { node: 2 })))
    expect([...taken]).toEqual(['root/do:entry>0', 'root/do:0>2'])
  })

  test('marks the way out of a scope when it was left', () => {
    const { taken } = activityOf(
      graph,
      stepMap(stepOf(1, { node: 2, ...done }), stepOf(2, { node: 3, parent: 1, iteration: 0, ...done })),
    )
    expect([...taken]).toContain('2/for:3>exit')
    expect([...taken]).toContain('root/do:2>exit')
  })

  test('does not join the iterations of a loop by an edge', () => {
    const each = { node: 3, parent: 1, ...done }
    const { taken } = activityOf(
      graph,
      stepMap(stepOf(1, { node: 2 }), stepOf(2, { ...each, iteration: 0 }), stepOf(3, { ...each, iteration: 1 })),
    )
    expect([...taken]).toEqual(['root/do:entry>2', '2/for:entry>3'])
  })
})

describe('The task to look at first', () => {
  const look = (state: 'faulted' | 'completed' | 'waiting') =>
    attentionOf(
      activityOf(
        graph,
        stepMap(
          stepOf(1, { node: 0, state: 'faulted' }),
          stepOf(2, { node: 1, ...done }),
          stepOf(3, { node: 2, state: 'waiting' }),
        ),
      ),
      state,
    )

  test('is the one at fault when the run faulted', () => {
    expect(look('faulted')).toBe(0)
  })

  test('is the one at work while the run goes on', () => {
    expect(look('waiting')).toBe(2)
  })

  test('is none when nothing is at work', () => {
    expect(attentionOf(activityOf(graph, stepMap(stepOf(1, { node: 0, ...done }))), 'completed')).toBeUndefined()
  })
})

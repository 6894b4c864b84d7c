import { describe, expect, test } from 'vitest'
import { stepMap, stepOf } from '~/test-data'
import { attemptsOf, faultedStep, stepRows } from './step-tree-model'

const tree = stepMap(
  stepOf(1, { kind: 'for' }),
  stepOf(2, { parent: 1, iteration: 0, node: 9 }),
  stepOf(4, { parent: 1, iteration: 1, node: 9 }),
  stepOf(3, { parent: 2 }),
  stepOf(5),
)
const shape = (closed: number[]) => stepRows(tree, new Set(closed)).map(r => `${' '.repeat(r.depth)}${r.step.id}`)

describe('The tree of steps', () => {
  test('stands in document order with children below their parents', () => {
    expect(shape([])).toEqual(['1', ' 2', '  3', ' 4', '5'])
  })

  test('hides what a closed step holds', () => {
    expect(shape([1])).toEqual(['1', '5'])
    expect(stepRows(tree, new Set([1]))[0]).toMatchObject({ open: false, children: 2 })
  })

  test('shows a step whose parent was not read at the top', () => {
    const rows = stepRows(stepMap(stepOf(8, { parent: 7 })), new Set())
    expect(rows.map(r => [r.step.id, r.depth])).toEqual([[8, 0]])
  })
})

describe('The attempts of a task', () => {
  test('are the steps of the same task in the same place', () => {
    const steps = stepMap(
      stepOf(2, { parent: 1, node: 5, state: 'faulted' }),
      stepOf(3, { parent: 1, node: 6 }),
      stepOf(4, { parent: 1, node: 5, state: 'faulted' }),
      stepOf(6, { parent: 1, node: 5, iteration: 1 }),
    )
    expect(attemptsOf(steps, steps.get(4)!).map(s => s.id)).toEqual([2, 4])
  })
})

describe('A try', () => {
  test('is numbered among those that faulted before it, however the server counts', () => {
    const steps = stepMap(stepOf(1, { node: 5, state: 'faulted' }), stepOf(2, { node: 5, state: 'completed' }))
    expect(stepRows(steps, new Set()).map(r => r.nth)).toEqual([1, 2])
    expect(stepRows(stepMap(stepOf(1, { attempt: 3 })), new Set())[0]!.nth).toBe(3)
  })

  test('begins anew when the task is come to again after it went well', () => {
    const steps = stepMap(stepOf(1, { node: 5, state: 'completed' }), stepOf(2, { node: 5, state: 'completed' }))
    expect(stepRows(steps, new Set()).map(r => r.nth)).toEqual([1, 1])
    expect(attemptsOf(steps, steps.get(2)!).map(s => s.id)).toEqual([2])
  })
})

describe('The step at fault', () => {
  test('is the innermost faulted one at the error’s instance', () => {
    const steps = stepMap(
      stepOf(1, { state: 'faulted', reference: '/do/0/outer' }),
      stepOf(2, { parent: 1, state: 'faulted', reference: '/do/0/outer/do/0/inner' }),
    )
    expect(faultedStep(steps, '/do/0/outer/do/0/inner')?.id).toBe(2)
    expect(faultedStep(steps, undefined)?.id).toBe(2)
  })

  test('is none while nothing faulted', () => {
    expect(faultedStep(stepMap(stepOf(1)), '/do/0')).toBeUndefined()
  })
})

import { describe, expect, test } from 'vitest'
import { recordOf, runOf, stepOf } from '~/test-data'
import { addSteps, appendLive, applyRecord, applyRecords, liveLinesMax, progressOf, viewOf } from './run-fold-model'

describe('The fold of a run from its records', () => {
  test('takes the run and the touched steps of each record', () => {
    const view = viewOf(runOf({ position: 1 }), [stepOf(1, { state: 'running' })], null)
    const after = applyRecord(view, recordOf(2, { state: 'completed' }, [stepOf(1, { state: 'completed' }), stepOf(2)]))
    expect(after.run.state).toBe('completed')
    expect(after.run.position).toBe(2)
    expect([...after.steps.values()].map(s => s.state)).toEqual(['completed', 'running'])
  })

  test('ignores a record it has seen, so that a reconnect shows nothing twice', () => {
    const view = viewOf(runOf({ position: 5 }), [stepOf(1, { state: 'completed' })], null)
    expect(applyRecord(view, recordOf(5, {}, [stepOf(1, { state: 'running' })]))).toBe(view)
    expect(applyRecord(view, recordOf(3, {}, [stepOf(1, { state: 'running' })]))).toBe(view)
  })

  test('applies a batch as if record by record', () => {
    const view = viewOf(runOf({ position: 0 }), [], null)
    const records = [
      recordOf(1, {}, [stepOf(1)]),
      recordOf(2, { state: 'waiting' }, [stepOf(1, { state: 'completed' }), stepOf(2)]),
      recordOf(3, { state: 'completed' }, [stepOf(2, { state: 'completed' })]),
    ]
    const single = records.reduce(applyRecord, view)
    expect(applyRecords(view, records)).toEqual(single)
  })

  test('does not change the view it was given', () => {
    const view = viewOf(runOf({ position: 0 }), [stepOf(1)], null)
    applyRecord(view, recordOf(1, {}, [stepOf(1, { state: 'faulted' })]))
    expect(view.steps.get(1)!.state).toBe('running')
  })

  test('keeps what records said when older steps are read later', () => {
    const view = viewOf(runOf({ position: 4 }), [stepOf(1, { state: 'completed' })], 'c')
    const after = addSteps(view, [stepOf(1, { state: 'running' }), stepOf(2)], null)
    expect(after.steps.get(1)!.state).toBe('completed')
    expect(after.steps.size).toBe(2)
    expect(after.more).toBeNull()
  })

  test('counts progress over the started steps and ends at one', () => {
    const steps = { started: 4, completed: 1, faulted: 1, skipped: 1, cancelled: 0 }
    expect(progressOf(runOf({ steps }))).toBe(0.75)
    expect(progressOf(runOf({ state: 'completed', steps }))).toBe(1)
    expect(progressOf(runOf({ steps: { ...steps, started: 0 } }))).toBe(0)
  })
})

describe('Live output', () => {
  const message = (data: string) => ({ step: 3, channel: 'stdout', data, at: '2026-11-20T15:00:00Z' })

  test('becomes one line for each line of the message', () => {
    expect(appendLive([], message('one\ntwo\n')).map(l => l.text)).toEqual(['one', 'two'])
  })

  test('keeps the newest lines within the limit, each with a key of its own', () => {
    const lines = appendLive([], message(Array.from({ length: liveLinesMax + 5 }, (_, i) => `l${i}`).join('\n')))
    const more = appendLive(lines, message('last'))
    expect(more).toHaveLength(liveLinesMax)
    expect(more.at(-1)!.text).toBe('last')
    expect(new Set(more.map(l => l.key)).size).toBe(liveLinesMax)
  })
})

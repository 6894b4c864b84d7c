import { describe, expect, test } from 'vitest'
import { adviceFor, headline, markerOf, shortType } from './error-model'

const standard = (name: string) => ({
  type: `https://open-workflow-specification.org/spec/1.0.0/errors/${name}`,
  status: 400,
})
const source =
  'do:\n  - convert:\n      set:\n        a: ${ .rate }\n        b: ${ .rate | tonumber }\n  - next:\n      set: {}\n'

describe('An error of a run', () => {
  test('is named by the last part of its type', () => {
    expect(shortType(standard('timeout'))).toBe('timeout')
    expect(headline(standard('timeout'))).toBe('timeout')
  })

  test('comes with advice, also when the author made the type up', () => {
    expect(adviceFor(standard('communication'))).toMatch(/retry/)
    expect(adviceFor({ type: 'https://shop.example/out-of-stock', status: 409 })).toMatch(/raised this error itself/)
  })

  test('is marked at the expression that its detail quotes', () => {
    const error = { ...standard('expression'), detail: '.rate | tonumber: null cannot be parsed' }
    expect(markerOf(error, source, 2).line).toBe(5)
  })

  test('is marked at the only expression there is', () => {
    const one = 'do:\n  - convert:\n      if: .rate > 1\n      set: {}\n'
    expect(markerOf({ ...standard('expression'), detail: 'failed' }, one, 2).line).toBe(3)
  })

  test('is marked at the task when no expression is quoted, or it is of another type', () => {
    expect(markerOf({ ...standard('expression'), detail: 'failed' }, source, 2).line).toBe(2)
    expect(markerOf({ ...standard('runtime'), detail: '.rate' }, source, 2).line).toBe(2)
  })
})

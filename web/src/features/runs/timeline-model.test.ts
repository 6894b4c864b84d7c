import { describe, expect, test } from 'vitest'
import { at, runOf, stepOf, t0 } from '~/test-data'
import { barOf, pan, ticksOf, windowOf, zoom } from './timeline-model'

const whole = { from: t0, to: t0 + 1000 }

describe('The window of a timeline', () => {
  test('reaches to now while the run goes on', () => {
    expect(windowOf(runOf(), [], t0 + 5000)).toEqual({ from: t0, to: t0 + 5000 })
  })

  test('ends with the run', () => {
    expect(windowOf(runOf({ state: 'completed', endedAt: at(700) }), [], t0 + 90_000).to).toBe(t0 + 700)
  })

  test('is never empty', () => {
    const { from, to } = windowOf(runOf({ state: 'completed', endedAt: at(0) }), [], t0)
    expect(to).toBeGreaterThan(from)
  })

  test('zooms around a point and stays within the whole', () => {
    expect(zoom(whole, whole, 0.5, 0.5)).toEqual({ from: t0 + 250, to: t0 + 750 })
    expect(zoom({ from: t0, to: t0 + 100 }, whole, 20, 0.5)).toEqual(whole)
  })

  test('pans no further than the whole', () => {
    expect(pan({ from: t0 + 800, to: t0 + 1000 }, whole, 0.5)).toEqual({ from: t0 + 800, to: t0 + 1000 })
    expect(pan({ from: t0, to: t0 + 200 }, whole, 0.5)).toEqual({ from: t0 + 100, to: t0 + 300 })
  })
})

describe('The bar of a step', () => {
  test('spans its share of the window', () => {
    const bar = barOf(stepOf(1, { state: 'completed', endedAt: at(600) }), whole, t0)
    expect(bar).toEqual({ left: 0.1, width: 0.5, open: false })
  })

  test('grows to now while the step is open', () => {
    expect(barOf(stepOf(1), whole, t0 + 400)).toMatchObject({ left: 0.1, open: true })
    expect(barOf(stepOf(1), whole, t0 + 400)!.width).toBeCloseTo(0.3)
  })

  test('tells where a wait will end', () => {
    expect(barOf(stepOf(1, { state: 'waiting', wakeAt: at(2000) }), whole, t0 + 400)!.wake).toBe(2)
  })

  test('is absent outside the window', () => {
    expect(barOf(stepOf(1, { state: 'completed', endedAt: at(200) }), { from: t0 + 500, to: t0 + 1000 }, t0)).toBeNull()
  })

  test('never has a negative width when clocks differ', () => {
    expect(barOf(stepOf(5), whole, t0)!.width).toBe(0)
  })
})

describe('The ticks of a timeline', () => {
  test('stand at round times since the start', () => {
    expect(ticksOf(whole, t0, 5).map(t => t.label)).toEqual(['0', '200 ms', '400 ms', '600 ms', '800 ms', '1.0 s'])
  })

  test('use seconds, minutes and hours as the window grows', () => {
    const last = (ms: number) => ticksOf({ from: t0, to: t0 + ms }, t0, 4).at(-1)!.label
    expect([last(20_000), last(90_000), last(1_200_000), last(36_000_000)]).toEqual(['20 s', '1:30', '20 min', '9 h'])
  })

  test('stay few whatever the window', () => {
    for (const span of [1, 37, 999, 86_400_000 * 400]) {
      expect(ticksOf({ from: t0, to: t0 + span }, t0, 6).length).toBeLessThanOrEqual(12)
    }
  })
})

import { expect, test } from 'vitest'
import type { Schedule } from './schedule'
import { backfillText, checkSpan, nextText, timesText } from './schedule-model'

const schedule: Schedule = {
  id: 's',
  namespace: 'demo',
  name: 'nightly',
  version: '1.0.0',
  times: { cron: '0 2 * * *' },
  timeZone: 'Europe/Berlin',
  overlap: 'allow',
  catchUp: { window: 'P1D', mode: 'latest' },
  input: {},
  paused: false,
  nextAt: '2026-11-27T01:00:00Z',
  skipped: 0,
  createdAt: '2026-11-20T00:00:00Z',
  updatedAt: '2026-11-20T00:00:00Z',
}
const now = Date.parse('2026-11-27T00:00:00Z')

test('Times are told as the document says them', () => {
  expect(timesText(schedule)).toBe('0 2 * * * in Europe/Berlin')
  expect(timesText({ times: { every: 'PT1H30M' }, timeZone: 'UTC' })).toBe('every 1h30m')
  expect(timesText({ times: { after: { minutes: 10 } }, timeZone: 'UTC' })).toBe('10 minutes after each run')
})

test('What comes next is told, or why nothing does', () => {
  expect(nextText(schedule, now)).toBe('in 1 h')
  expect(nextText({ ...schedule, paused: true, nextAt: null }, now)).toBe('paused')
  expect(nextText({ ...schedule, nextAt: null, running: 'r' }, now)).toBe('when its run has ended')
  expect(nextText({ ...schedule, nextAt: null }, now)).toBe('never again')
})

test('A time that is to be made up for has a beginning and an end behind it', () => {
  expect(checkSpan({ from: '', to: '2026-11-02T00:00' })).toEqual({ from: 'Say where it begins.' })
  expect(checkSpan({ from: '2026-11-01T00:00', to: '' })).toEqual({ to: 'Say where it ends.' })
  expect(checkSpan({ from: '2026-11-02T00:00', to: '2026-11-01T00:00' })).toEqual({ to: 'It ends before it begins.' })
  expect(checkSpan({ from: '2026-11-01T00:00', to: '2026-11-01T00:00' })).toEqual({})
})

test('How a backfill ended is told by what began and what had begun before', () => {
  expect(backfillText({ started: 1, known: 0 })).toBe('1 run begins.')
  expect(backfillText({ started: 4, known: 1 })).toBe('4 runs begin; 1 tick had one already.')
  expect(backfillText({ started: 0, known: 2 })).toBe('0 runs begin; 2 ticks had one already.')
  expect(backfillText({ started: 0, known: 0 })).toContain('names no tick')
})

import { describe, expect, test } from 'vitest'
import { reconnectDelayMs, StreamParser } from './event-stream-model'
import { url, queryString } from './http'
import { readJson } from './json-text'
import { formatDuration, formatRelative, spanMs } from './time'

describe('Durations', () => {
  test.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [4210, '4.2 s'],
    [59_949, '59.9 s'],
    [59_960, '1 m 00 s'],
    [125_000, '2 m 05 s'],
    [3 * 3_600_000 + 12 * 60_000, '3 h 12 m'],
    [100 * 3_600_000, '4 d 04 h'],
    [-50, '0 ms'],
  ])('%d ms reads %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  test('run to now while open and never below zero', () => {
    const start = '2026-11-20T15:00:00Z'
    expect(spanMs(start, null, Date.parse(start) + 5000)).toBe(5000)
    expect(spanMs(start, '2026-11-20T15:00:02Z', 0)).toBe(2000)
    expect(spanMs(start, null, 0)).toBe(0)
    expect(spanMs(null, null, 0)).toBeNull()
  })

  test('read relative to now', () => {
    const now = Date.parse('2026-11-20T15:00:00Z')
    expect(formatRelative('2026-11-20T14:57:00Z', now)).toBe('3 min ago')
    expect(formatRelative('2026-11-20T15:00:12Z', now)).toBe('in 12 s')
  })
})

describe('A stream of events', () => {
  const text = ': heartbeat\n\nid: 17\nevent: record\ndata: {"a":\ndata: 1}\n\nevent: live\ndata: x\n\n'

  test('gives its messages with the last id seen', () => {
    expect(new StreamParser().push(text)).toEqual([
      { event: 'record', data: '{"a":\n1}', id: '17' },
      { event: 'live', data: 'x', id: '17' },
    ])
  })

  test('reads the same in any cuts and with any line ends', () => {
    for (const form of [text, text.replaceAll('\n', '\r\n')]) {
      const parser = new StreamParser()
      expect([...form].flatMap(c => parser.push(c)).map(m => m.event)).toEqual(['record', 'live'])
    }
  })

  test('keeps an unfinished message for later', () => {
    const parser = new StreamParser('5')
    expect(parser.push('id: 6\ndata: a')).toEqual([])
    expect(parser.push('\n\n')).toEqual([{ event: 'message', data: 'a', id: '6' }])
  })

  test('is tried again after ever longer pauses within bounds', () => {
    expect([1, 2, 3].map(n => reconnectDelayMs(n, 0))).toEqual([125, 250, 500])
    expect(reconnectDelayMs(500, 1)).toBe(10_000)
  })
})

describe('Addresses', () => {
  test('encode their segments', () => {
    expect(url`/api/${'a/b'}/x/${'ü'}`).toBe('/api/a%2Fb/x/%C3%BC')
  })

  test('leave out what is absent and repeat lists', () => {
    expect(queryString({ a: undefined, b: null, c: '', state: ['running', 'waiting'], limit: 5 })).toBe(
      '?state=running&state=waiting&limit=5',
    )
    expect(queryString()).toBe('')
  })
})

describe('JSON typed by hand', () => {
  test('is read', () => {
    expect(readJson('{"a": [1, null]}')).toEqual({ value: { a: [1, null] } })
  })

  test('is refused with the place', () => {
    expect(readJson('{\n  "a": oops\n}')).toMatchObject({ error: expect.stringMatching(/line 2, column 8/) })
    expect(readJson('{"a": 1')).toMatchObject({ error: expect.stringMatching(/line 1, column 8/) })
  })
})

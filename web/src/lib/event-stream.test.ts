// @vitest-environment jsdom
import { afterEach, describe, expect, test, vi } from 'vitest'
import { followStream } from './event-stream'
import type { StreamMessage } from './event-stream-model'

type Connection = { headers: Record<string, string>; write: (text: string) => void; end: () => void; fail: () => void }

/** Streams whose ends a test holds. */
function connections() {
  const open: Connection[] = []
  const arrivals: (() => void)[] = []
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        open.push({
          headers: init.headers as Record<string, string>,
          write: text => controller.enqueue(new TextEncoder().encode(text)),
          end: () => controller.close(),
          fail: () => controller.error(new TypeError('network error')),
        })
      },
    })
    for (const arrived of arrivals.splice(0)) arrived()
    return Promise.resolve(new Response(body))
  })
  const nth = async (n: number): Promise<Connection> => {
    while (open.length < n) await new Promise<void>(resolve => arrivals.push(resolve))
    return open[n - 1]!
  }
  return { open, nth }
}

afterEach(() => vi.unstubAllGlobals())

describe('Following a stream', () => {
  test('goes on after the last id when the connection breaks', async () => {
    const { nth } = connections()
    const seen: StreamMessage[] = []
    const close = followStream('/s', { after: 4, onMessage: m => seen.push(m) })
    const first = await nth(1)
    expect(first.headers['last-event-id']).toBe('4')
    first.write('id: 5\nevent: record\ndata: a\n\nid: 6\nevent: record\nda')
    await vi.waitFor(() => expect(seen).toHaveLength(1))
    first.fail()
    const second = await nth(2)
    // The sixth message was cut off: it counts as not seen.
    expect(second.headers['last-event-id']).toBe('5')
    second.write('id: 6\nevent: record\ndata: b\n\n')
    await vi.waitFor(() => expect(seen.map(m => m.data)).toEqual(['a', 'b']))
    close()
  })

  test('ends with the end event and does not come back', async () => {
    const { open, nth } = connections()
    const states: string[] = []
    const ended = new Promise<void>(resolve => {
      followStream('/s', {
        onMessage: () => {},
        onStatus: s => {
          states.push(s)
          if (s === 'ended') resolve()
        },
      })
    })
    const only = await nth(1)
    only.write('event: end\ndata: {}\n\n')
    await ended
    expect(states).toEqual(['connecting', 'open', 'ended'])
    expect(open).toHaveLength(1)
  })

  test('stops for good when it is refused', async () => {
    vi.stubGlobal('fetch', () =>
      Promise.resolve(Response.json({ title: 'No.', code: 'run.not_found' }, { status: 404 })),
    )
    const code = await new Promise(resolve => {
      followStream('/s', { onMessage: () => {}, onRefused: p => resolve(p.code) })
    })
    expect(code).toBe('run.not_found')
  })

  test('says whether a connection resumes', async () => {
    const { nth } = connections()
    const resumed: boolean[] = []
    const close = followStream('/s', { onMessage: () => {}, onOpen: r => resumed.push(r) })
    const first = await nth(1)
    first.write('id: 1\ndata: x\n\n')
    first.end()
    await nth(2)
    await vi.waitFor(() => expect(resumed).toEqual([false, true]))
    close()
  })
})

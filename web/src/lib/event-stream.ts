import { reconnectDelayMs, StreamParser, type StreamMessage } from './event-stream-model'
import { Problem, send } from './http'

export type StreamStatus = 'connecting' | 'open' | 'lost' | 'paused' | 'ended'

export interface StreamOptions {
  /** Position after which to begin; without it the server decides. */
  after?: number | string
  onMessage: (message: StreamMessage) => void
  onStatus?: (status: StreamStatus) => void
  /** Called for each connection; `resumed` says that no message was missed since the one before. */
  onOpen?: (resumed: boolean) => void
  /** The server refuses the stream for good (404 and the like). */
  onRefused?: (problem: Problem) => void
}

/** Silence after which a connection is given up: the server sends a heartbeat every 15 s. */
const silenceMaxMs = 40_000

/** A hidden page gives its connection back: browsers open only six per host over HTTP/1.1. */
const hiddenMs = 20_000

/**
 * Follows a stream until it ends or `close` is called: reconnects with Last-Event-ID, so that nothing is missed or seen
 * twice, pauses while the page is hidden, and notices a connection that went silent. Answers `close`.
 */
export function followStream(path: string, options: StreamOptions): () => void {
  const follower = new StreamFollower(path, options)
  void follower.run()
  return () => follower.close()
}

class StreamFollower {
  #closed = false
  #lastId: string
  #attempt = 0
  #connection: AbortController | null = null
  #wake: (() => void) | null = null
  #hiddenTimer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly path: string,
    private readonly options: StreamOptions,
  ) {
    this.#lastId = options.after === undefined ? '' : String(options.after)
    document.addEventListener('visibilitychange', this.#onVisibility)
  }

  async run(): Promise<void> {
    while (!this.#closed) {
      this.options.onStatus?.(this.#attempt === 0 ? 'connecting' : 'lost')
      const ended = await this.#connect()
      if (ended || this.#closed) break
      if (document.hidden && this.#hiddenTimer === undefined) {
        this.options.onStatus?.('paused')
        await this.#sleep(null)
      } else {
        this.options.onStatus?.('lost')
        await this.#sleep(reconnectDelayMs(++this.#attempt, Math.random()))
      }
    }
    if (!this.#closed) this.options.onStatus?.('ended')
    this.close()
  }

  close(): void {
    this.#closed = true
    document.removeEventListener('visibilitychange', this.#onVisibility)
    clearTimeout(this.#hiddenTimer)
    this.#connection?.abort()
    this.#wake?.()
  }

  /** One connection; true when the stream is over. */
  async #connect(): Promise<boolean> {
    const connection = new AbortController()
    this.#connection = connection
    let silence: ReturnType<typeof setTimeout> | undefined
    const alive = () => {
      clearTimeout(silence)
      silence = setTimeout(() => connection.abort(), silenceMaxMs)
    }
    try {
      alive()
      const headers: Record<string, string> = { accept: 'text/event-stream' }
      if (this.#lastId) headers['last-event-id'] = this.#lastId
      const response = await send(this.path, { headers, signal: connection.signal })
      if (response.status === 204 || !response.body) return true
      this.options.onStatus?.('open')
      this.options.onOpen?.(this.#lastId !== '')
      this.#attempt = 0
      const parser = new StreamParser(this.#lastId)
      const decoder = new TextDecoder()
      const reader = response.body.getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return false
        alive()
        for (const message of parser.push(decoder.decode(value, { stream: true }))) {
          if (this.#closed) return true
          if (message.event === 'end') return true
          this.options.onMessage(message)
          this.#lastId = message.id
        }
      }
    } catch (error) {
      if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) {
        this.options.onRefused?.(error)
        return true
      }
      return false
    } finally {
      clearTimeout(silence)
      connection.abort()
    }
  }

  #sleep(ms: number | null): Promise<void> {
    return new Promise(resolve => {
      const timer = ms === null ? undefined : setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #onVisibility = () => {
    clearTimeout(this.#hiddenTimer)
    this.#hiddenTimer = undefined
    if (document.hidden) {
      this.#hiddenTimer = setTimeout(() => {
        this.#hiddenTimer = undefined
        this.#connection?.abort()
      }, hiddenMs)
    } else {
      this.#attempt = 0
      this.#wake?.()
    }
  }
}

/** One message of a Server-Sent Events stream (HTML Living Standard, 9.2.6). */
export interface StreamMessage {
  event: string
  data: string
  /** The last id seen so far, of this message or an earlier one; empty before the first. */
  id: string
}

/** Largest message that is taken, in characters; a longer one ends the stream with an error. */
export const messageCharactersMax = 8_000_000

/** Incremental parser: feed it text as it arrives, in any cuts. */
export class StreamParser {
  #rest = ''
  #event = ''
  #data: string[] = []
  #size = 0
  #id: string

  constructor(lastId = '') {
    this.#id = lastId
  }

  get lastId(): string {
    return this.#id
  }

  push(text: string): StreamMessage[] {
    const messages: StreamMessage[] = []
    // A trailing CR may be half of CRLF: it stays until more text decides.
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length + this.#size > messageCharactersMax) throw new Error('A message of the stream is too long.')
    for (const line of lines) {
      if (line !== '') this.#field(line)
      else this.#dispatch(messages)
    }
    return messages
  }

  #field(line: string): void {
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'event') this.#event = value
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    else if (name === 'data') {
      this.#data.push(value)
      this.#size += value.length
    }
  }

  #dispatch(messages: StreamMessage[]): void {
    if (this.#data.length > 0) {
      messages.push({ event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id })
    }
    this.#event = ''
    this.#data = []
    this.#size = 0
  }
}

/** Milliseconds before the nth attempt to connect again (from 1): doubling, at most 10 s, spread by `random` in [0, 1). */
export function reconnectDelayMs(attempt: number, random: number): number {
  const ceiling = Math.min(10_000, 250 * 2 ** Math.min(attempt - 1, 10))
  return Math.round(ceiling / 2 + (ceiling / 2) * random)
}

import type { Maybe } from '~/lib/api'

export type SinkState = 'active' | 'paused' | 'failing' | 'dead'
export type SinkMode = 'structured' | 'binary'

/** Where events are sent, in their order. */
export interface Sink {
  id: string
  name: string
  url: string
  /** Each whole, or its beginning and a star; none stands for every type. */
  types: string[]
  /** Name of the secret that it is called with. */
  secret?: Maybe<string>
  mode: SinkMode
  state: SinkState
  position: number
  /** Events behind where it stands, counted up to `pendingMax`. */
  pending: number
  delivered: number
  /** Since the last event that was taken. */
  attempts: number
  error?: Maybe<string>
  failingSince?: Maybe<string>
  nextTryAt?: Maybe<string>
  deadAt?: Maybe<string>
  patienceSeconds: number
  createdAt: string
  updatedAt: string
}

export const pendingMax = 10_000

export interface SinkBody {
  name: string
  url: string
  types: string[]
  /** Empty for none. */
  secret: string
  mode: SinkMode
  patienceSeconds: number
}

export interface SinkTest {
  taken: boolean
  status?: Maybe<number>
  error?: Maybe<string>
}

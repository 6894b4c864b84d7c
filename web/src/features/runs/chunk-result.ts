import type { Json, Maybe } from '~/lib/api'

/** Results of one chunk of a map that keeps them with its children. */
export interface ChunkResult {
  chunk: number
  /** Index of its first result among all. */
  offset: number
  count: number
  state: 'completed' | 'missing' | 'gone'
  runs: string[]
  results?: Maybe<Json[]>
}

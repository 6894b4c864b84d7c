import type { Maybe, RunState } from '~/lib/api'

export type BulkAction = 'retry' | 'fork' | 'cancel' | 'suspend' | 'resume'
export type BulkState = 'running' | 'completed' | 'cancelled'

export interface BulkFilter {
  states?: Maybe<RunState[]>
  namespace?: Maybe<string>
  name?: Maybe<string>
  ids?: Maybe<string[]>
  createdAfter?: Maybe<string>
  createdBefore?: Maybe<string>
  forkOf?: Maybe<string>
  /** False: only runs that no other run has started. */
  children?: Maybe<boolean>
}

/** One wish about many runs. */
export interface BulkRequest {
  action: BulkAction
  filter: BulkFilter
  /** For a fork: just before the last step of this task, or behind this record. */
  task?: Maybe<string>
  seq?: Maybe<number>
  definition?: Maybe<{ version: string }>
  reason?: Maybe<string>
}

/** How far a wish has come. */
export interface BulkWork {
  id: string
  action: BulkAction
  request: BulkRequest
  state: BulkState
  /** Runs that fitted when it was asked for. */
  found: number
  done: number
  refused: number
  /** The first hundred. */
  refusals: { run: string; code: string; detail: string }[]
  createdAt: string
  updatedAt: string
  endedAt?: Maybe<string>
}

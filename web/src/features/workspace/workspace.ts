import type { Maybe, WorkflowError } from '~/lib/api'

/** A limit for one of its keys. */
export interface RunLimit {
  /** namespace/name of the definition, or the name that limits of several share. */
  name: string
  key: string
  /** Runs at work at once, starts within a time, or a time without another start. */
  kind: 'slot' | 'rate' | 'quiet'
  limit: number
  /** The workspace has set it in place of the documents. */
  isSetting: boolean
  held: number
  queued: number
  oldestSince?: Maybe<string>
}

export interface WorkspaceLimit {
  /** Its share of what workspaces share, 1 to 100. */
  weight: number
  /** Runs of the workspace at work at once; null: any number. */
  limit: number | null
}

/** For how long runs are kept after their end, ISO 8601 durations; null: for ever. */
export interface Retention {
  completed: string | null
  faulted: string | null
  cancelled: string | null
}

export interface DeadLetter {
  id: string
  kind: 'run' | 'event' | 'schedule'
  subject: string
  definition: string
  reason: string
  error?: Maybe<WorkflowError>
  times: number
}

/** A text that definitions name by its address. */
export interface StoredResource {
  name: string
  /** `resource:///name` */
  address: string
  mediaType: string
  /** Bytes. */
  size: number
  sha256: string
  createdAt: string
  updatedAt: string
}

/** Which dead letters are meant; empty: all. */
export interface DeadLetterFilter {
  kind?: DeadLetter['kind']
  reason?: string
  definition?: string
}

/** How a wish about dead letters ended. */
export interface Dealt {
  done: number
  /** It has come to this one; there are others behind it. */
  next?: Maybe<string>
  refused: { id: string; detail: string }[]
}

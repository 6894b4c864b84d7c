import type { Json, Maybe, RunState, StartingEvent } from '~/lib/api'

export interface Schedule {
  id: string
  namespace: string
  name: string
  version: string
  /** As the document says it. */
  times: { cron?: string; every?: Json; after?: Json }
  timeZone: string
  overlap: 'allow' | 'skip' | 'bufferOne' | 'cancelOther'
  /** ISO 8601. */
  catchUp: { window: string; mode: 'all' | 'latest' | 'none' }
  jitter?: Maybe<string>
  input: Json
  paused: boolean
  nextAt: string | null
  lastRun?: Maybe<ScheduledRun>
  running?: Maybe<string>
  buffered?: Maybe<string>
  skipped: number
  error?: Maybe<string>
  createdAt: string
  updatedAt: string
}

export interface ScheduledRun {
  /** The moment that it stands for. */
  at: string
  run: string
  state: RunState
  createdAt: string
  endedAt?: Maybe<string>
}

/** A definition whose runs events start. */
export interface Trigger {
  namespace: string
  name: string
  version: string
  /** As the document says it. */
  on?: Json
  /** A type or source that is not there may be any. */
  events: { type?: Maybe<string>; source?: Maybe<string> }[]
  paused: boolean
  since?: Maybe<string>
  lastRun?: Maybe<{
    run: string
    state: RunState
    createdAt: string
    endedAt?: Maybe<string>
    count: number
    events: StartingEvent[]
  }>
  error?: Maybe<string>
}

export interface ScheduleDetail {
  schedule: Schedule
  next: { tick: string; at: string }[]
  runs: ScheduledRun[]
}

/** How many ticks of a time started a run, and how many had started one before. */
export interface Backfilled {
  started: number
  known: number
}

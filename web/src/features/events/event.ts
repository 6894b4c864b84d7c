import type { Json, Maybe, Run } from '~/lib/api'

/** An event of the workspace's log. */
export interface WorkspaceEvent {
  position: number
  type: string
  source: string
  id: string
  subject?: Maybe<string>
  /** As its sender wrote it. */
  time?: Maybe<string>
  receivedAt: string
  /** Bytes of the event in its JSON format. */
  size: number
  /** A signal: the run that alone is told of it. */
  run?: Maybe<string>
  /** The CloudEvent; lists leave it out. */
  event?: Json
}

/** A run that heard an event. */
export interface EventRun {
  run: Run
  /** The event started it; otherwise a step of it listened. */
  started: boolean
}

/** Whole types and sources; empty members say nothing. */
export interface EventFilter {
  type?: string | undefined
  source?: string | undefined
}

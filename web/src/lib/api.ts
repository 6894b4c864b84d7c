// The shapes of docs/http.md, written by hand. `npm run gen` writes schema.gen.ts from the server's OpenAPI document; once that
// document tells the type of every member (times and free JSON have none yet), these become aliases of its types.

export type RunState = 'pending' | 'running' | 'waiting' | 'suspended' | 'cancelled' | 'faulted' | 'completed'
export type StepState = RunState | 'skipped'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Optional members may be absent or null on the wire. */
type Maybe<T> = T | null | undefined

export interface Page<T> {
  items: T[]
  next?: Maybe<string>
}

export interface Diagnostic {
  severity: 'error' | 'warning'
  code: string
  message: string
  /** From 1. */
  line: number
  /** From 1. */
  column: number
  pointer: string
  expected?: Maybe<string>
}

export interface Validation {
  valid: boolean
  diagnostics: Diagnostic[]
}

export interface DefinitionSummary {
  namespace: string
  name: string
  version: string
  title?: Maybe<string>
  summary?: Maybe<string>
  hash: string
  createdAt: string
  tags?: Maybe<Json>
}

export interface DefinitionVersion extends DefinitionSummary {
  diagnostics?: Maybe<Diagnostic[]>
  inputSchema?: Maybe<Json>
  secrets?: Maybe<string[]>
}

export interface GraphNode {
  /** Index of the task. */
  id: number
  parent: number | null
  name: string
  /** JSON pointer of the task in the document. */
  reference: string
  kind: string
  detail?: Maybe<string>
  /** Which part of the parent the task stands in: do, try, catch, branch, for, function. */
  slot: string
  /** From 1. */
  line: number
}

export interface GraphEdge {
  /** Null: the entry of the parent's slot. */
  from: number | null
  /** Null: leaves the parent. */
  to: number | null
  parent: number | null
  slot: string
  label?: Maybe<string>
}

export interface Graph {
  nodes: GraphNode[]
  edges: GraphEdge[]
}

export interface WorkflowError {
  type: string
  status: number
  title?: Maybe<string>
  detail?: Maybe<string>
  /** JSON pointer of the task that raised it. */
  instance?: Maybe<string>
}

export interface DefinitionRef {
  namespace: string
  name: string
  version: string
}

export interface Run {
  id: string
  definition: DefinitionRef & { hash: string }
  state: RunState
  createdAt: string
  startedAt?: Maybe<string>
  endedAt?: Maybe<string>
  updatedAt: string
  parent?: Maybe<{ run: string; step: number }>
  error?: Maybe<WorkflowError>
  steps: { started: number; completed: number; faulted: number; skipped: number; cancelled: number }
  /** Last journal sequence number. */
  position: number
  wakeAt?: Maybe<string>
  /** Of the cancellation or suspension. */
  reason?: Maybe<string>
  /** The schedule that started it, and the moment that it names. */
  trigger?: Maybe<{ schedule: string; at: string }>
}

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

export interface ScheduleDetail {
  schedule: Schedule
  next: { tick: string; at: string }[]
  runs: ScheduledRun[]
}

export interface Step {
  id: number
  parent: number | null
  /** Id of the node in the graph. */
  node: number
  name: string
  reference: string
  kind: string
  state: StepState
  iteration?: Maybe<number>
  attempt: number
  startedAt: string
  endedAt?: Maybe<string>
  error?: Maybe<WorkflowError>
  wakeAt?: Maybe<string>
  /** Id of the child run. */
  child?: Maybe<string>
  input?: Json
  output?: Json
}

export interface JournalRecord {
  seq: number
  at: string
  entries: Json[]
}

export interface Waiting {
  step?: Maybe<number>
  reference?: Maybe<string>
  on: 'timer' | 'effect' | 'child' | 'resume' | 'worker' | 'retry'
  since: string
  wakeAt?: Maybe<string>
  detail: string
}

export interface Artifact {
  name: string
  mediaType: string
  /** Bytes. */
  size: number
  sha256: string
  createdAt: string
  href: string
  path?: Maybe<string>
}

/** `event: record` of a run's stream. */
export interface RecordMessage {
  seq: number
  at: string
  run: Run
  steps: Step[]
}

/** `event: live` of a run's stream; not kept by the server. */
export interface LiveMessage {
  step: number
  channel: string
  data: Json
  at: string
}

export interface SystemInfo {
  version: string
  shape: string
  runs: Partial<Record<RunState, number>>
}

export const runStates: readonly RunState[] = [
  'running',
  'waiting',
  'pending',
  'suspended',
  'faulted',
  'cancelled',
  'completed',
]

export function isFinished(state: StepState): boolean {
  return state === 'completed' || state === 'faulted' || state === 'cancelled' || state === 'skipped'
}

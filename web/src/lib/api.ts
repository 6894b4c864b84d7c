// The shapes of docs/http.md, written by hand. `npm run gen` writes schema.gen.ts from the server's OpenAPI document, which
// tells the type of every member; these become aliases of its types once free JSON, `unknown` there, is mapped to Json.

export type RunState = 'pending' | 'running' | 'waiting' | 'suspended' | 'cancelled' | 'faulted' | 'completed'
export type StepState = RunState | 'skipped'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Optional members may be absent or null on the wire. */
export type Maybe<T> = T | null | undefined

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
  /** The run this one goes on from. */
  forkOf?: Maybe<{ run: string; seq: number; step?: Maybe<number> }>
  error?: Maybe<WorkflowError>
  steps: { started: number; completed: number; faulted: number; skipped: number; cancelled: number }
  /** Last journal sequence number. */
  position: number
  wakeAt?: Maybe<string>
  /** Of the cancellation or suspension. */
  reason?: Maybe<string>
  /** The run in whose place it goes on, and the one that goes on in its place. */
  continues?: Maybe<string>
  continuedBy?: Maybe<string>
  /** Of one run, once it has been taken: what flow control found for it. */
  flow?: Maybe<{
    priority: number
    limits: { kind: 'slot' | 'rate' | 'quiet'; name: string; key: string; most: number }[]
  }>
  /** Once it has ended, of one run: when retention lets it go; without it, it is kept. */
  keptUntil?: Maybe<string>
  /** Once it has ended, of one run: it lies in the dead letters. */
  deadLetter?: Maybe<boolean>
  /** The schedule that started it, and the moment that it names. */
  trigger?: Maybe<{ schedule: string; at: string }>
  startedBy?: Maybe<RunStarter>
}

/** What started a run. */
export interface RunStarter {
  by: 'caller' | 'schedule' | 'event' | 'run' | 'fork'
  /** The schedule's tick. */
  at?: Maybe<string>
  /** That started it, or that it is a fork of. */
  run?: Maybe<string>
  /** How many events started it together. */
  count?: Maybe<number>
  /** The last ten at most. */
  events?: Maybe<StartingEvent[]>
}

export interface StartingEvent {
  position: number
  id: string
  type: string
  source: string
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
  /** Of a map or a swarm. */
  spawn?: Maybe<Spawn>
  /** The step that this one undoes. */
  compensates?: Maybe<number>
  input?: Json
  output?: Json
}

/** How far the children of a map or a swarm are. */
export interface Spawn {
  /** Absent while nobody knows. */
  total?: Maybe<number>
  completed: number
  failed: number
  running: number
  queued?: Maybe<number>
  skipped: number
  concurrency: number
  firstError?: Maybe<WorkflowError>
  /** Of a swarm; told with a single step only. */
  members?: Maybe<SpawnMember[]>
  /** Of a map whose step does not hold what its children gave. */
  results?: Maybe<'reference' | 'none'>
}

export interface SpawnMember {
  name: string
  state: StepState
  child?: Maybe<string>
  reason?: Maybe<string>
  error?: Maybe<WorkflowError>
  needs: string[]
}

export interface JournalRecord {
  seq: number
  at: string
  entries: Json[]
}

export interface Waiting {
  step?: Maybe<number>
  reference?: Maybe<string>
  on: 'timer' | 'effect' | 'child' | 'resume' | 'worker' | 'retry' | 'event' | 'slot' | 'person'
  since: string
  wakeAt?: Maybe<string>
  detail: string
  /** The question that people are asked. */
  approval?: Maybe<string>
  /** The events it listens for; a type or source that is not there may be any. */
  events?: Maybe<{ type?: Maybe<string>; source?: Maybe<string> }[]>
}

/** A step that had begun and not ended. */
export interface ActiveStep extends Omit<Step, 'state' | 'output' | 'endedAt' | 'error'> {
  timeoutAt?: Maybe<string>
  input: Json
  /** What flows through it. */
  data: Json
}

/** A run as it stood behind a record of its journal. */
export interface RunMoment {
  run: string
  seq: number
  /** The last record now. */
  last: number
  at: string
  state: RunState
  input: Json
  context: Json
  /** What the next task at the top begins with. */
  data: Json
  output?: Json
  error?: Maybe<WorkflowError>
  reason?: Maybe<string>
  steps: Run['steps']
  wakeAt?: Maybe<string>
  active: ActiveStep[]
  waiting: Waiting[]
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
  /** Of those, that other runs have started. */
  children?: Partial<Record<RunState, number>>
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

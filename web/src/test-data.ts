import type { RecordMessage, Run, Step } from '~/lib/api'

// Builders for tests; a minute past fifteen on a quiet Friday.
export const t0 = Date.parse('2026-11-20T15:01:00Z')
export const at = (ms: number) => new Date(t0 + ms).toISOString()

export function runOf(more: Partial<Run> = {}): Run {
  return {
    id: '0198f000-0000-7000-8000-000000000001',
    definition: { namespace: 'tests', name: 'greet', version: '1.0.0', hash: 'abc' },
    state: 'running',
    createdAt: at(0),
    startedAt: at(0),
    updatedAt: at(0),
    steps: { started: 1, completed: 0, faulted: 0, skipped: 0, cancelled: 0 },
    position: 1,
    ...more,
  }
}

export function stepOf(id: number, more: Partial<Step> = {}): Step {
  return {
    id,
    parent: null,
    node: id,
    name: `task${id}`,
    reference: `/do/${id}/task${id}`,
    kind: 'set',
    state: 'running',
    attempt: 1,
    startedAt: at(id * 100),
    ...more,
  }
}

export function recordOf(seq: number, run: Partial<Run> = {}, steps: Step[] = []): RecordMessage {
  return { seq, at: at(seq), run: runOf({ ...run, position: seq }), steps }
}

export const stepMap = (...steps: Step[]) => new Map(steps.map(s => [s.id, s]))

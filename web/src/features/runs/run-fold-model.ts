import type { LiveMessage, RecordMessage, Run, Step } from '~/lib/api'
import { isFinished } from '~/lib/api'

/** A run as its page shows it: what was read, and then every durable record on top. */
export interface RunView {
  run: Run
  /** By step number. Replaced, never changed, by a record that touches a step. */
  steps: ReadonlyMap<number, Step>
  /** Where reading steps goes on; null when all were read. */
  more: string | null
}

export function viewOf(run: Run, steps: readonly Step[], more: string | null): RunView {
  return { run, steps: new Map(steps.map(s => [s.id, s])), more }
}

/** Applies one record. A record at or before the view's position was seen already and changes nothing. */
export function applyRecord(view: RunView, record: RecordMessage): RunView {
  if (record.seq <= view.run.position) return view
  return applyRecords(view, [record])
}

/** Applies records in order, as one change. */
export function applyRecords(view: RunView, records: readonly RecordMessage[]): RunView {
  const fresh = records.filter(r => r.seq > view.run.position)
  const last = fresh.at(-1)
  if (!last) return view
  const steps = new Map(view.steps)
  for (const record of fresh) {
    for (const step of record.steps) steps.set(step.id, { ...steps.get(step.id), ...step })
  }
  return { ...view, run: { ...last.run, position: Math.max(last.seq, last.run.position) }, steps }
}

/** Adds steps that were read later; what records said since is newer and stays. */
export function addSteps(view: RunView, steps: readonly Step[], more: string | null): RunView {
  const all = new Map(view.steps)
  for (const step of steps) if (!all.has(step.id)) all.set(step.id, step)
  return { ...view, steps: all, more }
}

/** Share of started steps that are finished, in [0, 1]; a run that ended has nothing open. */
export function progressOf(run: Run): number {
  if (isFinished(run.state)) return 1
  const { started, completed, faulted, skipped, cancelled } = run.steps
  return started === 0 ? 0 : Math.min(1, (completed + faulted + skipped + cancelled) / started)
}

export interface LiveLine {
  key: number
  step: number
  channel: string
  text: string
  at: string
}

/** Lines of live output that are kept on the page. */
export const liveLinesMax = 2_000

/** Appends a message, one line for each of its lines, and drops the oldest beyond the limit. */
export function appendLive(lines: readonly LiveLine[], message: LiveMessage): LiveLine[] {
  const text = typeof message.data === 'string' ? message.data : JSON.stringify(message.data)
  let key = (lines.at(-1)?.key ?? 0) + 1
  const added = text
    .replace(/\n$/, '')
    .split('\n')
    .map(line => ({ key: key++, step: message.step, channel: message.channel, text: line, at: message.at }))
  return [...lines, ...added].slice(-liveLinesMax)
}

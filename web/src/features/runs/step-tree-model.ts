import type { Step } from '~/lib/api'
import { groupBy } from '~/lib/group'

export interface StepRow {
  step: Step
  depth: number
  /** Number of steps directly inside. */
  children: number
  open: boolean
  /** Which try of its task in this place it is, from 1: above 1 when earlier ones faulted. */
  nth: number
}

/** Steps in the order they stand in the tree: parents before children, children by number; closed ones hide what they hold. */
export function stepRows(steps: ReadonlyMap<number, Step>, closed: ReadonlySet<number>): StepRow[] {
  const children = childrenOf(steps)
  const tries = triesOf(steps)
  const rows: StepRow[] = []
  // An explicit stack: documents may nest deeply.
  const stack = (children.get(null) ?? []).map(step => ({ step, depth: 0 })).toReversed()
  for (let top = stack.pop(); top; top = stack.pop()) {
    const inside = children.get(top.step.id) ?? []
    const open = !closed.has(top.step.id)
    const nth = Math.max(top.step.attempt, tries.get(top.step.id)!.indexOf(top.step) + 1)
    rows.push({ step: top.step, depth: top.depth, children: inside.length, open, nth })
    if (open) for (const step of inside.toReversed()) stack.push({ step, depth: top.depth + 1 })
  }
  return rows
}

function childrenOf(steps: ReadonlyMap<number, Step>): Map<number | null, Step[]> {
  const children = new Map<number | null, Step[]>()
  for (const step of [...steps.values()].toSorted((a, b) => a.id - b.id)) {
    // A parent that was not read (yet) must not hide its children.
    const parent = step.parent !== null && step.parent !== undefined && steps.has(step.parent) ? step.parent : null
    const list = children.get(parent)
    if (list) list.push(step)
    else children.set(parent, [step])
  }
  return children
}

/** Every try that belongs together with this one, oldest first: the same task in the same place, each after one that faulted. */
export function attemptsOf(steps: ReadonlyMap<number, Step>, step: Step): readonly Step[] {
  return triesOf(steps).get(step.id) ?? [step]
}

function triesOf(steps: ReadonlyMap<number, Step>): Map<number, Step[]> {
  const places = groupBy(
    [...steps.values()].toSorted((a, b) => a.id - b.id),
    s => `${s.node}/${s.parent}/${s.iteration ?? ''}`,
  )
  const tries = new Map<number, Step[]>()
  for (const place of places.values()) {
    let own: Step[] = []
    for (const step of place) {
      // A task that is come to again after it went well begins anew.
      if (own.at(-1)?.state !== 'faulted') own = []
      own.push(step)
      tries.set(step.id, own)
    }
  }
  return tries
}

/** The step in which an error arose: the deepest faulted one that carries it. */
export function faultedStep(steps: ReadonlyMap<number, Step>, instance: string | null | undefined): Step | undefined {
  const faulted = [...steps.values()].filter(s => s.state === 'faulted')
  const exact = faulted.filter(s => s.reference === instance)
  const candidates = exact.length > 0 ? exact : faulted
  const parents = new Set(candidates.map(s => s.parent))
  return candidates.filter(s => !parents.has(s.id)).toSorted((a, b) => b.id - a.id)[0]
}

import { runStates, type RunState } from '~/lib/api'
import { formatTime } from '~/lib/time'
import type { BulkAction, BulkRequest, BulkWork } from './bulk'

/** States in which a run can take an action, and the words for it. */
export const actions: Record<BulkAction, { verb: string; fits: readonly RunState[]; means: string }> = {
  retry: {
    verb: 'Retry',
    fits: ['faulted', 'cancelled'],
    means: 'Each gets a new run that begins the step that failed once more and goes on from there.',
  },
  fork: {
    verb: 'Fork',
    fits: ['running', 'waiting', 'pending', 'suspended', 'faulted', 'cancelled', 'completed'],
    means: 'Each gets a new run that goes on from a place in it. The runs stay as they are.',
  },
  cancel: {
    verb: 'Cancel',
    fits: ['running', 'waiting', 'pending', 'suspended'],
    means: 'Each is cancelled with its children; what it did is undone where its tasks say how.',
  },
  suspend: {
    verb: 'Suspend',
    fits: ['running', 'waiting', 'pending'],
    means: 'None of them begins another step until it is resumed.',
  },
  resume: { verb: 'Resume', fits: ['suspended'], means: 'Each goes on where it was.' },
}

/** What the list of runs is filtered by. */
export interface ListFilter {
  state?: RunState[]
  definition?: string
  forkOf?: string
  /** The list shows runs that other runs have started too. */
  children?: boolean
}

export interface BulkForm {
  action: BulkAction
  /** As the browser's field gives it, in local time; empty for none. */
  after: string
  before: string
  /** Empty: from its beginning. */
  task: string
  latest: boolean
  reason: string
}

/** The states that a wish would be about: of those chosen the ones that fit, or all that do. */
export function statesFor(action: BulkAction, { state = [] }: ListFilter): RunState[] {
  const { fits } = actions[action]
  return state.length === 0 ? [...fits] : state.filter(s => fits.includes(s))
}

/** The action that most likely is meant by a filter. */
export function firstAction(filter: ListFilter): BulkAction {
  const all = Object.keys(actions) as BulkAction[]
  return all.filter(a => a !== 'fork').find(a => statesFor(a, filter).length > 0) ?? 'fork'
}

export function wishOf(form: BulkForm, filter: ListFilter): BulkRequest {
  const { action, after, before, task, latest, reason } = form
  const [namespace, name] = (filter.definition ?? '').split('/')
  const place = task.trim() ? { task: task.trim() } : { seq: 0 }
  return {
    action,
    filter: {
      states: statesFor(action, filter),
      ...(namespace && name ? { namespace, name } : {}),
      ...(filter.forkOf ? { forkOf: filter.forkOf } : filter.children ? {} : { children: false }),
      ...(after ? { createdAfter: new Date(after).toISOString() } : {}),
      ...(before ? { createdBefore: new Date(before).toISOString() } : {}),
    },
    ...(action === 'fork' ? place : {}),
    ...(latest && goesOn(action) ? { definition: { version: 'latest' } } : {}),
    ...(reason.trim() ? { reason: reason.trim() } : {}),
  }
}

/** Whether the action starts runs, which may go on with another version. */
export const goesOn = (action: BulkAction) => action === 'retry' || action === 'fork'

/** Which runs a wish is about, in words. */
export function describe({ filter, task, seq, definition }: BulkRequest, now: number): string {
  const { states, namespace, name, ids, createdAfter, createdBefore, forkOf, children } = filter
  const parts = [
    (ids ? `${ids.length} chosen ${ids.length === 1 ? 'run' : 'runs'}` : `${statesText(states)} runs`) +
      (namespace || name ? ` of ${namespace ?? 'any'}/${name ?? 'any'}` : ''),
    children === false ? 'without children' : '',
    forkOf ? `forked from ${forkOf}` : '',
    createdAfter ? `created after ${formatTime(createdAfter, now)}` : '',
    createdBefore ? `created before ${formatTime(createdBefore, now)}` : '',
    task ? `just before ${task}` : '',
    typeof seq === 'number' ? (seq === 0 ? 'from their beginning' : `behind record ${seq}`) : '',
    definition ? `with version ${definition.version}` : '',
  ]
  return parts.filter(p => p).join(', ')
}

/** `faulted or cancelled`; of every state, `all`. */
export function statesText(states: BulkRequest['filter']['states']): string {
  if (!states || states.length === 0 || states.length === runStates.length) return 'all'
  return [states.slice(0, -1).join(', '), states.at(-1)!].filter(s => s).join(' or ')
}

/** Shares of the runs, from 0 to 1, that it was carried out on and that refused it. Those that are gone by now are in neither. */
export function progress({ found, done, refused }: BulkWork): { done: number; refused: number } {
  const all = Math.max(found, done + refused, 1)
  return { done: done / all, refused: refused / all }
}

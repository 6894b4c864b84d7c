import type { Page, Run, RunState } from '~/lib/api'

export interface RunFilter {
  state?: RunState[] | undefined
  /** namespace/name */
  definition?: string | undefined
  /** Id of the parent run. */
  parent?: string | undefined
  /** Id of the run they go on from. */
  forkOf?: string | undefined
  /** Also runs that other runs have started. */
  children?: boolean | undefined
}

/** Whether a list leaves out runs that other runs have started: it does unless it is asked for them in some way. */
export const topOnly = ({ parent, forkOf, children }: RunFilter) => !parent && !forkOf && !children

export function matches(filter: RunFilter, run: Run): boolean {
  if (filter.state && filter.state.length > 0 && !filter.state.includes(run.state)) return false
  if (filter.definition && `${run.definition.namespace}/${run.definition.name}` !== filter.definition) return false
  if (topOnly(filter) && run.parent) return false
  if (filter.forkOf && run.forkOf?.run !== filter.forkOf) return false
  return !filter.parent || run.parent?.run === filter.parent
}

/**
 * Folds a changed run into the pages of a list, newest first: replaced in place, removed when the filter no longer
 * matches, put in its place when it is new. A run that belongs on a page not read yet is left out, and so is what is not
 * newer than the list. The same pages come back when nothing changes.
 */
export function foldRun(pages: Page<Run>[], filter: RunFilter, run: Run): Page<Run>[] {
  const known = pages.flatMap(p => p.items).find(r => r.id === run.id)
  if (known && run.position <= known.position) return pages
  const wanted = matches(filter, run)
  if (known) return pages.map(page => ({ ...page, items: replaced(page.items, run, wanted) }))
  const at = pages.findIndex(page => page.items.some(r => before(run, r)))
  if (!wanted || pages.length === 0 || (at < 0 && pages.at(-1)!.next)) return pages
  const target = at < 0 ? pages.length - 1 : at
  return pages.map((page, i) => (i === target ? { ...page, items: inserted(page.items, run) } : page))
}

function replaced(items: readonly Run[], run: Run, wanted: boolean): Run[] {
  return wanted ? items.map(r => (r.id === run.id ? run : r)) : items.filter(r => r.id !== run.id)
}

function inserted(items: readonly Run[], run: Run): Run[] {
  const at = items.findIndex(r => before(run, r))
  return at < 0 ? [...items, run] : [...items.slice(0, at), run, ...items.slice(at)]
}

/** Newest first; ids of one instant decide by their order. */
const before = (a: Run, b: Run) => a.createdAt > b.createdAt || (a.createdAt === b.createdAt && a.id > b.id)

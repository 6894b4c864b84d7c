import type { Page, Run, RunState } from '~/lib/api'

export interface RunFilter {
  state?: RunState[] | undefined
  /** namespace/name */
  definition?: string | undefined
  /** Id of the parent run. */
  parent?: string | undefined
}

export function matches(filter: RunFilter, run: Run): boolean {
  if (filter.state && filter.state.length > 0 && !filter.state.includes(run.state)) return false
  if (filter.definition && `${run.definition.namespace}/${run.definition.name}` !== filter.definition) return false
  return !filter.parent || run.parent?.run === filter.parent
}

/**
 * Folds a changed run into the pages of a list, newest first: replaced in place, removed when the filter no longer
 * matches, put on top when it is new and newer than the first. A run that belongs on a page not read yet is left out.
 */
export function foldRun(pages: readonly Page<Run>[], filter: RunFilter, run: Run): Page<Run>[] {
  const wanted = matches(filter, run)
  const known = pages.some(p => p.items.some(r => r.id === run.id))
  if (known) {
    return pages.map(page => ({
      ...page,
      items: wanted
        ? page.items.map(r => (r.id === run.id && newer(run, r) ? run : r))
        : page.items.filter(r => r.id !== run.id),
    }))
  }
  const all = pages.flatMap(p => p.items)
  const place = all.findIndex(r => r.createdAt < run.createdAt || (r.createdAt === run.createdAt && r.id < run.id))
  const last = pages.at(-1)
  if (!wanted || (place < 0 && last?.next)) return [...pages]
  let skipped = 0
  let done = false
  return pages.map((page, i) => {
    const at = place < 0 ? page.items.length : place - skipped
    skipped += page.items.length
    if (done || at < 0 || at > page.items.length || (place < 0 && i < pages.length - 1)) return page
    done = true
    return { ...page, items: [...page.items.slice(0, at), run, ...page.items.slice(at)] }
  })
}

const newer = (a: Run, b: Run) => a.position >= b.position

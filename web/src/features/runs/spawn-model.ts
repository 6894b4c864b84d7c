import type { Graph, Spawn, SpawnMember, StepState } from '~/lib/api'

/** Members that are drawn; more are listed. */
export const drawnMax = 120

/** The parts of the bar, in its order, each with its share of the whole. */
export function sharesOf(spawn: Spawn): { state: StepState; count: number; share: number }[] {
  const { completed, failed, skipped, running } = spawn
  const whole = Math.max(spawn.total ?? completed + failed + skipped + running, 1)
  const parts = [
    { state: 'completed', count: completed },
    { state: 'faulted', count: failed },
    { state: 'skipped', count: skipped },
    { state: 'running', count: running },
  ] as const
  return parts.filter(p => p.count > 0).map(p => ({ ...p, share: p.count / whole }))
}

export function summaryOf(spawn: Spawn): string {
  const of = typeof spawn.total === 'number' ? ` of ${spawn.total}` : ''
  const parts = [`${spawn.completed}${of} completed`]
  if (spawn.failed > 0) parts.push(`${spawn.failed} failed`)
  if (spawn.skipped > 0) parts.push(`${spawn.skipped} skipped`)
  if (spawn.running > 0) parts.push(`${spawn.running} under way`)
  if (spawn.queued) parts.push(`${spawn.queued} queued`)
  return parts.join(', ')
}

/** Whether a run that has ended could go back to the step. */
export function canRedrive(spawn: Spawn): boolean {
  return spawn.failed + spawn.skipped + spawn.running > 0 || spawn.total == null || spawn.completed < spawn.total
}

/** The members as a graph: one way in to each that needs nothing, one from each need. */
export function graphOf(members: readonly SpawnMember[]): Graph {
  const places = new Map(members.map((m, i) => [m.name, i]))
  return {
    nodes: members.map((m, id) => ({
      id,
      parent: null,
      name: m.name,
      reference: m.name,
      kind: 'run',
      slot: 'do',
      line: 0,
    })),
    edges: members.flatMap((m, to) =>
      m.needs.length === 0
        ? [{ from: null, to, parent: null, slot: 'do' }]
        : m.needs.map(need => ({ from: places.get(need) ?? null, to, parent: null, slot: 'do' })),
    ),
  }
}

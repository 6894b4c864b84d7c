import type { Graph, RunState, Step, StepState } from '~/lib/api'
import { isFinished } from '~/lib/api'
import { groupBy } from '~/lib/group'
import { edgeKey } from '~/components/graph/graph-layout-model'

/** What a run did at one node of the graph. */
export interface NodeActivity {
  state: StepState
  /** Steps that ran it. */
  total: number
  faulted: number
  /** Highest attempt of the latest step. */
  attempt: number
  /** The step that a click opens: an active one first, else the latest. */
  latest: Step
}

export interface GraphActivity {
  nodes: ReadonlyMap<number, NodeActivity>
  /** Keys (see edgeKey) of the edges that the run went along. */
  taken: ReadonlySet<string>
}

export function activityOf(graph: Graph, steps: ReadonlyMap<number, Step>): GraphActivity {
  const nodes = new Map<number, NodeActivity>()
  for (const [node, own] of groupBy(steps.values(), s => s.node)) {
    own.sort((a, b) => a.id - b.id)
    const latest = own.findLast(s => !isFinished(s.state)) ?? own.at(-1)!
    nodes.set(node, {
      state: latest.state,
      total: own.length,
      faulted: own.filter(s => s.state === 'faulted').length,
      attempt: latest.attempt,
      latest,
    })
  }
  return { nodes, taken: takenEdges(graph, steps) }
}

/** Where to look first: the task that made the run fail, or the one at work. */
export function attentionOf(activity: GraphActivity, run: RunState): number | undefined {
  const latest = [...activity.nodes].toSorted(([, a], [, b]) => b.latest.id - a.latest.id)
  const wanted = (state: StepState) => (run === 'faulted' ? state === 'faulted' : !isFinished(state))
  return latest.find(([, a]) => wanted(a.state))?.[0]
}

/**
 * A scope runs its tasks one after the other, so two steps that follow each other there went along the edge between
 * their nodes. Branches of a fork each come from the entry.
 */
function takenEdges(graph: Graph, steps: ReadonlyMap<number, Step>): Set<string> {
  const slots = new Map(graph.nodes.map(n => [n.id, n]))
  const taken = new Set<string>()
  const scopes = groupBy(steps.values(), s => `${s.parent}/${slots.get(s.node)?.slot}/${s.iteration ?? ''}`)
  for (const scope of scopes.values()) {
    scope.sort((a, b) => a.id - b.id)
    let before: Step | null = null
    for (const step of scope) {
      const node = slots.get(step.node)
      if (!node) continue
      const { parent, slot } = node
      const from = slot === 'branch' || before === null || before.node === step.node ? null : before.node
      taken.add(edgeKey({ parent, slot, from, to: step.node }))
      const owner = step.parent === null ? undefined : steps.get(step.parent)
      const last = slot === 'branch' || step === scope.at(-1)
      const left = step.state === 'completed' || step.state === 'skipped'
      if (last && left && (owner === undefined || isFinished(owner.state))) {
        taken.add(edgeKey({ parent, slot, from: step.node, to: null }))
      }
      before = step
    }
  }
  return taken
}

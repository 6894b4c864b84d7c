import type { Graph, GraphEdge, GraphNode } from '~/lib/api'
import { groupBy } from '~/lib/group'
import { drawLayers, type Box, type Link, type Point, type RoutedLink } from './layers-model'

export interface PlacedNode {
  key: string
  kind: 'task' | 'container' | 'entry' | 'exit'
  node?: GraphNode
  x: number
  y: number
  width: number
  height: number
  depth: number
  /** Compartments of a container that has several, or whose only one needs a name. */
  slots: PlacedSlot[]
}

export interface PlacedSlot {
  name: string
  /** From the corner of its container. */
  x: number
  y: number
  width: number
  height: number
}

export interface PlacedEdge {
  key: string
  source: string
  target: string
  /** SVG path in the coordinates of the whole drawing. */
  path: string
  label?: string
  labelAt?: Point
  back: boolean
  edge: GraphEdge
}

export interface GraphDrawing {
  nodes: PlacedNode[]
  edges: PlacedEdge[]
  width: number
  height: number
}

export const headerHeight = 36
const taskHeight = 44
const padding = 16
const slotLabelHeight = 20
const slotGap = 22
const characterWidth = 7.3

/** Key of the traversal from one node to another inside a parent's slot; shared with the run's overlay. */
export function edgeKey(edge: Pick<GraphEdge, 'parent' | 'slot' | 'from' | 'to'>): string {
  return `${edge.parent ?? 'root'}/${edge.slot}:${edge.from ?? 'entry'}>${edge.to ?? 'exit'}`
}

/** Lays a definition's graph out from top to bottom: nested scopes are boxes around their own, independently laid out, tasks. */
export function layoutGraph(graph: Graph): GraphDrawing {
  return new Layout(graph).draw()
}

interface Content {
  width: number
  height: number
  /** Children first-level drawings, relative to the content's corner. */
  place: (x: number, y: number, depth: number) => void
  slots: PlacedSlot[]
}

class Layout {
  readonly #children: Map<number | null, GraphNode[]>
  readonly #edges: Map<string, GraphEdge[]>
  readonly #nodes: PlacedNode[] = []
  readonly #placed: PlacedEdge[] = []

  constructor(graph: Graph) {
    this.#children = groupBy(graph.nodes, n => n.parent)
    this.#edges = groupBy(graph.edges, e => `${e.parent}/${e.slot}`)
  }

  draw(): GraphDrawing {
    const content = this.#content(null)
    content.place(0, 0, 0)
    return { nodes: this.#nodes, edges: this.#placed, width: content.width, height: content.height }
  }

  #content(parent: GraphNode | null): Content {
    const bySlot = groupBy(this.#children.get(parent?.id ?? null) ?? [], n => n.slot)
    if (!parent && !bySlot.has('do')) bySlot.set('do', [])
    const named = bySlot.size > 1
    const parts = [...bySlot].map(([slot, nodes]) => ({ slot, ...this.#scope(parent, slot, nodes) }))
    const top = named ? slotLabelHeight : 0
    const height = Math.max(0, ...parts.map(p => p.height))
    let x = 0
    const placed = parts.map(part => {
      const at = x
      const width = Math.max(part.width, named ? part.slot.length * characterWidth + 8 : 0)
      x += width + slotGap
      return { part, at, width }
    })
    return {
      width: Math.max(0, x - slotGap),
      height: top + height,
      slots: named ? placed.map(p => ({ name: p.part.slot, x: p.at, y: 0, width: p.width, height: top + height })) : [],
      place: (ox, oy, depth) => {
        for (const { part, at, width } of placed) part.place(ox + at + (width - part.width) / 2, oy + top, depth)
      },
    }
  }

  #scope(parent: GraphNode | null, slot: string, nodes: GraphNode[]): Omit<Content, 'slots'> {
    const prefix = `${parent?.id ?? 'root'}/${slot}`
    const entry = `${prefix}:entry`
    const exit = `${prefix}:exit`
    const edges = mergeParallel(this.#edges.get(`${parent?.id ?? null}/${slot}`) ?? [])
    const inner = new Map(nodes.map(n => [String(n.id), { node: n, content: this.#boxOf(n) }]))
    const links = edges.map((e): Link & { edge: GraphEdge } => ({
      from: e.from === null ? entry : String(e.from),
      to: e.to === null ? exit : String(e.to),
      ...(e.label ? { label: e.label } : {}),
      edge: e,
    }))
    const port = (id: string): Box => (parent ? { id, width: 8, height: 8 } : { id, width: 64, height: 26 })
    const boxes: Box[] = [...inner].map(([id, { content }]) => ({ id, width: content.width, height: content.height }))
    if (links.some(l => l.from === entry) || !parent) boxes.unshift(port(entry))
    if (links.some(l => l.to === exit)) boxes.push(port(exit))
    const drawing = drawLayers(boxes, links)
    return {
      width: drawing.width,
      height: drawing.height,
      place: (ox, oy, depth) => {
        for (const box of boxes) {
          const at = drawing.at.get(box.id)!
          const x = ox + at.x
          const y = oy + at.y
          const own = inner.get(box.id)
          if (own) own.content.place(x, y, depth)
          else
            this.#nodes.push({
              key: box.id,
              kind: box.id === entry ? 'entry' : 'exit',
              x,
              y,
              width: box.width,
              height: box.height,
              depth,
              slots: [],
            })
        }
        drawing.links.forEach(link => this.#placeEdge(link as RoutedLink & { edge: GraphEdge }, ox, oy))
      },
    }
  }

  #boxOf(node: GraphNode): Omit<Content, 'slots'> {
    // The second line is set smaller; beside both stand the sign of the kind and what a run adds.
    const detail = (node.kind.length + (node.detail ? node.detail.length + 3 : 0)) * 0.85
    const own = Math.min(300, Math.max(148, Math.round(Math.max(node.name.length, detail) * characterWidth) + 92))
    if (!this.#children.has(node.id)) {
      return {
        width: own,
        height: taskHeight,
        place: (x, y, depth) =>
          void this.#nodes.push({
            key: String(node.id),
            kind: 'task',
            node,
            x,
            y,
            width: own,
            height: taskHeight,
            depth,
            slots: [],
          }),
      }
    }
    const content = this.#content(node)
    const header = Math.min(420, (node.name.length + detail + 2) * characterWidth + 92)
    const width = Math.max(own, header, content.width + 2 * padding)
    const height = headerHeight + content.height + 2 * padding
    return {
      width,
      height,
      place: (x, y, depth) => {
        const ox = (width - content.width) / 2
        const oy = headerHeight + padding
        const slots = content.slots.map(s => ({ ...s, x: s.x + ox, y: s.y + oy }))
        this.#nodes.push({ key: String(node.id), kind: 'container', node, x, y, width, height, depth, slots })
        content.place(x + ox, y + oy, depth + 1)
      },
    }
  }

  #placeEdge(link: RoutedLink & { edge: GraphEdge }, ox: number, oy: number): void {
    const points = link.points.map(p => ({ x: p.x + ox, y: p.y + oy }))
    const placed: PlacedEdge = {
      key: edgeKey(link.edge),
      source: link.from,
      target: link.to,
      path: link.back ? roundedPath(points) : flowingPath(points),
      back: link.back,
      edge: link.edge,
    }
    if (link.label) {
      placed.label = link.label
      // Near the end: there the links of a switch are farthest apart.
      const [a, b] = link.back ? [points[1]!, points[2]!] : [points[0]!, points[1]!]
      placed.labelAt = { x: a.x + (b.x - a.x) * (link.back ? 0.5 : 0.68), y: a.y + (b.y - a.y) * 0.55 }
    }
    this.#placed.push(placed)
  }
}

/** Several cases of a switch may lead to the same task: one line, all their names. */
function mergeParallel(edges: readonly GraphEdge[]): GraphEdge[] {
  return [...groupBy(edges, edgeKey).values()].map(same => {
    const labels = [...new Set(same.map(e => e.label).filter(l => l))]
    return labels.length > 0 ? { ...same[0]!, label: labels.join(', ') } : same[0]!
  })
}

function flowingPath(points: readonly Point[]): string {
  return points.reduce((path, p, i) => {
    const before = points[i - 1]
    if (!before) return `M${round(p.x)} ${round(p.y)}`
    if (Math.abs(before.x - p.x) < 0.5) return `${path}L${round(p.x)} ${round(p.y)}`
    const bend = (p.y - before.y) / 2
    return `${path}C${round(before.x)} ${round(before.y + bend)} ${round(p.x)} ${round(p.y - bend)} ${round(p.x)} ${round(p.y)}`
  }, '')
}

function roundedPath(points: readonly Point[]): string {
  const [a, b, c, d] = points as [Point, Point, Point, Point]
  const r = Math.min(8, Math.abs(b.x - a.x), Math.abs(c.x - d.x), Math.abs(c.y - b.y) / 2)
  const up = Math.sign(c.y - b.y)
  return (
    `M${round(a.x)} ${round(a.y)}L${round(b.x - r)} ${round(b.y)}Q${round(b.x)} ${round(b.y)} ${round(b.x)} ${round(b.y + up * r)}` +
    `L${round(c.x)} ${round(c.y - up * r)}Q${round(c.x)} ${round(c.y)} ${round(c.x - r)} ${round(c.y)}L${round(d.x)} ${round(d.y)}`
  )
}

const round = (n: number) => Math.round(n * 10) / 10

import { describe, expect, test } from 'vitest'
import type { Graph, GraphEdge, GraphNode } from '~/lib/api'
import { layoutGraph, type PlacedNode } from './graph-layout-model'

const node = (id: number, name: string, more: Partial<GraphNode> = {}): GraphNode => ({
  id,
  name,
  parent: null,
  reference: `/do/${id}/${name}`,
  kind: 'set',
  slot: 'do',
  line: id + 6,
  ...more,
})
const edge = (from: number | null, to: number | null, more: Partial<GraphEdge> = {}): GraphEdge => ({
  from,
  to,
  parent: null,
  slot: 'do',
  ...more,
})
const at = (nodes: PlacedNode[], key: string) => nodes.find(n => n.key === key)!
const overlap = (a: PlacedNode, b: PlacedNode) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
const inside = (a: PlacedNode, b: PlacedNode) =>
  a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height

describe('The layout of a graph', () => {
  test('puts a sequence below each other on one axis', () => {
    const graph: Graph = { nodes: [node(0, 'a'), node(1, 'b')], edges: [edge(null, 0), edge(0, 1), edge(1, null)] }
    const { nodes } = layoutGraph(graph)
    const [a, b] = [at(nodes, '0'), at(nodes, '1')]
    expect(a.y + a.height).toBeLessThan(b.y)
    expect(a.x + a.width / 2).toBeCloseTo(b.x + b.width / 2)
    expect(nodes.map(n => n.kind)).toEqual(['entry', 'task', 'task', 'exit'])
  })

  test('puts the targets of a switch beside each other and labels their edges', () => {
    const graph: Graph = {
      nodes: [node(0, 'route', { kind: 'switch' }), node(1, 'left'), node(2, 'right')],
      edges: [
        edge(null, 0),
        edge(0, 1, { label: 'small' }),
        edge(0, 2, { label: 'large' }),
        edge(1, null),
        edge(2, null),
      ],
    }
    const { nodes, edges } = layoutGraph(graph)
    expect(at(nodes, '1').y).toBe(at(nodes, '2').y)
    expect(overlap(at(nodes, '1'), at(nodes, '2'))).toBe(false)
    expect(edges.filter(e => e.label).map(e => e.label)).toEqual(['small', 'large'])
  })

  test('merges cases that lead to the same task into one edge with both names', () => {
    const graph: Graph = {
      nodes: [node(0, 'route'), node(1, 'next')],
      edges: [edge(null, 0), edge(0, 1, { label: 'a' }), edge(0, 1, { label: 'b' }), edge(1, null)],
    }
    const labels = layoutGraph(graph).edges.flatMap(e => e.label ?? [])
    expect(labels).toEqual(['a, b'])
  })

  test('draws a jump backwards as a back edge and still terminates', () => {
    const graph: Graph = {
      nodes: [node(0, 'a'), node(1, 'b')],
      edges: [edge(null, 0), edge(0, 1), edge(1, 0, { label: 'again' }), edge(1, null)],
    }
    const { edges, width } = layoutGraph(graph)
    const back = edges.filter(e => e.back)
    expect(back.map(e => e.label)).toEqual(['again'])
    expect(back[0]!.labelAt!.x).toBeLessThan(width)
  })

  test('keeps nested scopes inside the box of their parent and siblings apart', () => {
    const graph: Graph = {
      nodes: [
        node(0, 'attempt', { kind: 'try' }),
        node(1, 'risky', { parent: 0, slot: 'try' }),
        node(2, 'repair', { parent: 0, slot: 'catch' }),
        node(3, 'after'),
      ],
      edges: [
        edge(null, 0),
        edge(0, 3),
        edge(3, null),
        edge(null, 1, { parent: 0, slot: 'try' }),
        edge(1, null, { parent: 0, slot: 'try' }),
        edge(null, 2, { parent: 0, slot: 'catch' }),
        edge(2, null, { parent: 0, slot: 'catch' }),
      ],
    }
    const { nodes } = layoutGraph(graph)
    const box = at(nodes, '0')
    expect(box.kind).toBe('container')
    expect(inside(at(nodes, '1'), box) && inside(at(nodes, '2'), box)).toBe(true)
    expect(inside(at(nodes, '3'), box)).toBe(false)
    expect(overlap(at(nodes, '1'), at(nodes, '2'))).toBe(false)
    expect(box.slots.map(s => s.name)).toEqual(['try', 'catch'])
    const risky = at(nodes, '1')
    const slot = box.slots[0]!
    expect(inside(risky, { ...risky, ...slot, x: box.x + slot.x, y: box.y + slot.y })).toBe(true)
  })

  test('routes an edge over several layers past the tasks between', () => {
    const graph: Graph = {
      nodes: [node(0, 'a'), node(1, 'b'), node(2, 'c')],
      edges: [edge(null, 0), edge(0, 1), edge(1, 2), edge(0, 2, { label: 'skip' }), edge(2, null)],
    }
    const { nodes, edges } = layoutGraph(graph)
    const b = at(nodes, '1')
    const skip = edges.find(e => e.label === 'skip')!
    const xs = [...skip.path.matchAll(/L([\d.-]+) ([\d.-]+)/g)].filter(
      m => Number(m[2]) > b.y && Number(m[2]) <= b.y + b.height,
    )
    expect(xs.length).toBeGreaterThan(0)
    for (const [, x] of xs) expect(Number(x) < b.x || Number(x) > b.x + b.width).toBe(true)
  })

  test('draws an empty definition as its start alone', () => {
    expect(layoutGraph({ nodes: [], edges: [] }).nodes.map(n => n.kind)).toEqual(['entry'])
  })

  test('lays a thousand tasks out without overlap', () => {
    const nodes = Array.from({ length: 1000 }, (_, i) => node(i, `t${i}`))
    const edges = [edge(null, 0), ...nodes.map((n, i) => edge(n.id, i + 1 < nodes.length ? i + 1 : null))]
    const drawing = layoutGraph({ nodes, edges })
    const tops = drawing.nodes.map(n => n.y)
    expect(new Set(tops).size).toBe(1002)
  })
})

// Layered drawing of one scope (Sugiyama's method): break cycles, rank by longest path, order by barycentres, place by
// least squares. Scopes are small (a list of tasks), so the plain quadratic steps are fast enough.

import { groupBy } from '~/lib/group'

export interface Box {
  id: string
  width: number
  height: number
}

export interface Link {
  from: string
  to: string
  label?: string
}

export interface Point {
  x: number
  y: number
}

export interface RoutedLink extends Link {
  points: Point[]
  /** Goes against the flow: drawn around the right-hand side. */
  back: boolean
}

export interface LayeredDrawing {
  /** Top left corners by id. */
  at: Map<string, Point>
  links: RoutedLink[]
  width: number
  height: number
}

const gapX = 26
const gapY = 28
const gapYLabelled = 44
const backLane = 16

interface Cell {
  id: string
  width: number
  height: number
  rank: number
  center: number
}

export function drawLayers(boxes: readonly Box[], links: readonly Link[]): LayeredDrawing {
  const back = findBackLinks(boxes, links)
  const forward = links.filter(l => !back.has(l))
  const ranks = rankByLongestPath(boxes, forward)
  const { layers, chains } = buildLayers(boxes, forward, ranks)
  const neighbours = neighboursOf(chains)
  orderLayers(layers, neighbours)
  placeCenters(layers, neighbours)

  const cells = layers.flat()
  const left = Math.min(0, ...cells.map(c => c.center - c.width / 2))
  const right = Math.max(0, ...cells.map(c => c.center + c.width / 2))
  const labelled = links.some(l => l.label)
  const tops: number[] = []
  const heights = layers.map(layer => Math.max(0, ...layer.map(c => c.height)))
  let y = 0
  for (const height of heights) {
    tops.push(y)
    y += height + (labelled ? gapYLabelled : gapY)
  }
  const byId = new Map(cells.map(c => [c.id, c]))
  const at = new Map<string, Point>()
  for (const box of boxes) {
    const cell = byId.get(box.id)!
    at.set(box.id, {
      x: cell.center - cell.width / 2 - left,
      y: tops[cell.rank]! + (heights[cell.rank]! - cell.height) / 2,
    })
  }
  const routed = [
    ...chains.map(({ link, cells: chain }) => routeForward(link, chain, left, tops, heights)),
    ...[...back].map((link, i) => routeBack(link, byId, at, right - left + backLane * (i + 1))),
  ]
  const height = Math.max(0, ...layers.map((_, i) => tops[i]! + heights[i]!))
  return { at, links: routed, width: right - left + (back.size > 0 ? backLane * (back.size + 0.5) : 0), height }
}

function findBackLinks(boxes: readonly Box[], links: readonly Link[]): Set<Link> {
  const out = groupBy(links, l => l.from)
  const state = new Map<string, 'open' | 'done'>()
  const back = new Set<Link>()
  const visit = (start: string) => {
    const stack = [{ id: start, next: 0 }]
    state.set(start, 'open')
    while (stack.length > 0) {
      const top = stack.at(-1)!
      const link = out.get(top.id)?.[top.next++]
      if (!link) {
        state.set(top.id, 'done')
        stack.pop()
      } else if (state.get(link.to) === 'open') back.add(link)
      else if (!state.has(link.to)) {
        state.set(link.to, 'open')
        stack.push({ id: link.to, next: 0 })
      }
    }
  }
  for (const box of boxes) if (!state.has(box.id)) visit(box.id)
  return back
}

function rankByLongestPath(boxes: readonly Box[], links: readonly Link[]): Map<string, number> {
  const incoming = new Map(boxes.map(b => [b.id, 0]))
  for (const link of links) incoming.set(link.to, (incoming.get(link.to) ?? 0) + 1)
  const out = groupBy(links, l => l.from)
  const ranks = new Map(boxes.map(b => [b.id, 0]))
  const ready = boxes.filter(b => incoming.get(b.id) === 0).map(b => b.id)
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    for (const link of out.get(id) ?? []) {
      ranks.set(link.to, Math.max(ranks.get(link.to)!, ranks.get(id)! + 1))
      const left = incoming.get(link.to)! - 1
      incoming.set(link.to, left)
      if (left === 0) ready.push(link.to)
    }
  }
  return ranks
}

interface Chain {
  link: Link
  cells: Cell[]
}

/** Links over several layers get a place of their own in each layer between, so that they pass no box. */
function buildLayers(boxes: readonly Box[], links: readonly Link[], ranks: Map<string, number>) {
  const layers: Cell[][] = Array.from({ length: Math.max(0, ...ranks.values()) + 1 }, () => [])
  const cells = new Map<string, Cell>()
  for (const box of boxes) {
    const cell = { ...box, rank: ranks.get(box.id)!, center: 0 }
    cells.set(box.id, cell)
    layers[cell.rank]!.push(cell)
  }
  const chains = links.map((link, i): Chain => {
    const from = cells.get(link.from)!
    const to = cells.get(link.to)!
    const chain = [from]
    for (let rank = from.rank + 1; rank < to.rank; rank++) {
      const dummy = { id: `\0${i}:${rank}`, width: 10, height: 0, rank, center: 0 }
      layers[rank]!.push(dummy)
      chain.push(dummy)
    }
    return { link, cells: [...chain, to] }
  })
  return { layers, chains }
}

interface Neighbours {
  above: Map<Cell, Cell[]>
  below: Map<Cell, Cell[]>
}

function neighboursOf(chains: readonly Chain[]): Neighbours {
  const above = new Map<Cell, Cell[]>()
  const below = new Map<Cell, Cell[]>()
  const add = (map: Map<Cell, Cell[]>, key: Cell, value: Cell) => {
    const list = map.get(key)
    if (list) list.push(value)
    else map.set(key, [value])
  }
  for (const { cells } of chains) {
    for (let i = 1; i < cells.length; i++) {
      add(above, cells[i]!, cells[i - 1]!)
      add(below, cells[i - 1]!, cells[i]!)
    }
  }
  return { above, below }
}

function orderLayers(layers: Cell[][], { above, below }: Neighbours): void {
  const place = new Map<Cell, number>()
  const number = (layer: Cell[]) => layer.forEach((cell, i) => place.set(cell, i))
  layers.forEach(number)
  const sweep = (layer: Cell[], beside: Map<Cell, Cell[]>) => {
    const weight = new Map(layer.map((cell, i) => [cell, mean(beside.get(cell), c => place.get(c)!) ?? i]))
    layer.sort((a, b) => weight.get(a)! - weight.get(b)!)
    number(layer)
  }
  for (let round = 0; round < 4; round++) {
    for (const layer of layers) sweep(layer, above)
    for (const layer of layers.toReversed()) sweep(layer, below)
  }
  for (const layer of layers) sweep(layer, above)
}

function placeCenters(layers: Cell[][], { above, below }: Neighbours): void {
  for (const layer of layers)
    settle(
      layer,
      layer.map(() => 0),
    )
  const pull = (layer: Cell[], beside: Map<Cell, Cell[]>) =>
    settle(
      layer,
      layer.map(cell => mean(beside.get(cell), c => c.center) ?? cell.center),
    )
  for (let round = 0; round < 8; round++) {
    for (const layer of layers) pull(layer, above)
    for (const layer of layers.toReversed()) pull(layer, below)
  }
}

/** Centres as near as possible to the wanted ones (least squares) in the given order without overlap: pooling of violators. */
function settle(layer: Cell[], wanted: readonly number[]): void {
  const offsets: number[] = []
  layer.forEach((cell, i) => {
    const before = layer[i - 1]
    offsets.push(before ? offsets[i - 1]! + before.width / 2 + cell.width / 2 + gapX : 0)
  })
  const pools: { sum: number; count: number }[] = []
  wanted.forEach((want, i) => {
    pools.push({ sum: want - offsets[i]!, count: 1 })
    for (;;) {
      const last = pools.at(-1)!
      const before = pools.at(-2)
      if (!before || before.sum / before.count <= last.sum / last.count) break
      pools.pop()
      before.sum += last.sum
      before.count += last.count
    }
  })
  let i = 0
  for (const pool of pools) {
    for (let n = 0; n < pool.count; n++, i++) layer[i]!.center = pool.sum / pool.count + offsets[i]!
  }
}

function routeForward(link: Link, chain: Cell[], left: number, tops: number[], heights: number[]): RoutedLink {
  const points = chain.flatMap((cell, i): Point[] => {
    const x = cell.center - left
    const top = tops[cell.rank]!
    const height = heights[cell.rank]!
    const boxTop = top + (height - cell.height) / 2
    if (i === 0) return [{ x, y: boxTop + cell.height }]
    if (i === chain.length - 1) return [{ x, y: boxTop }]
    return [
      { x, y: top },
      { x, y: top + height },
    ]
  })
  return { ...link, points, back: false }
}

function routeBack(link: Link, cells: Map<string, Cell>, at: Map<string, Point>, lane: number): RoutedLink {
  const side = (id: string, share: number): Point => {
    const { x, y } = at.get(id)!
    const { width, height } = cells.get(id)!
    return { x: x + width, y: y + height * share }
  }
  const start = side(link.from, 0.65)
  const end = side(link.to, 0.35)
  return { ...link, points: [start, { x: lane, y: start.y }, { x: lane, y: end.y }, end], back: true }
}

function mean<T>(items: readonly T[] | undefined, value: (item: T) => number): number | undefined {
  if (!items || items.length === 0) return undefined
  return items.reduce((sum, item) => sum + value(item), 0) / items.length
}

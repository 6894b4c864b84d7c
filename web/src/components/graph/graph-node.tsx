import { Handle, Position, type Node, type NodeProps } from '@xyflow/react'
import {
  ArrowRightFromLine,
  Box,
  CirclePlay,
  Clock,
  Ear,
  GitFork,
  Layers,
  Megaphone,
  OctagonAlert,
  PenLine,
  Repeat,
  ShieldCheck,
  Split,
  SquareTerminal,
  Zap,
} from 'lucide-react'
import { StateMark } from '~/components/ui/state'
import type { StepState } from '~/lib/api'
import { headerHeight, type PlacedNode } from './graph-layout-model'

/** What a run adds to a node. */
export interface NodeOverlay {
  state: StepState
  total: number
  faulted: number
  attempt: number
}

export type GraphNodeData = {
  placed: PlacedNode
  overlay: NodeOverlay | undefined
  /** There is a run, which did not come here (yet). */
  idle: boolean
  selected: boolean
  onSelect: ((id: number) => void) | undefined
}

const icons: Record<string, typeof Box> = {
  call: Zap,
  do: Layers,
  emit: Megaphone,
  for: Repeat,
  fork: GitFork,
  listen: Ear,
  raise: OctagonAlert,
  run: SquareTerminal,
  set: PenLine,
  switch: Split,
  try: ShieldCheck,
  wait: Clock,
}

export function GraphNodeView({ data }: NodeProps<Node<GraphNodeData>>) {
  const { placed } = data
  return (
    <>
      <Handle type="target" position={Position.Top} isConnectable={false} className="!opacity-0" />
      {placed.node ? <TaskNode data={data} /> : <Port placed={placed} />}
      <Handle type="source" position={Position.Bottom} isConnectable={false} className="!opacity-0" />
    </>
  )
}

function Port({ placed }: { placed: PlacedNode }) {
  if (placed.depth > 0) return <div className="size-2 rounded-full bg-edge" />
  const Icon = placed.kind === 'entry' ? CirclePlay : ArrowRightFromLine
  return (
    <div className="flex h-full items-center justify-center gap-1 rounded-full border border-line bg-surface text-2xs font-medium text-soft">
      <Icon size={12} aria-hidden className={placed.kind === 'exit' ? 'rotate-90' : ''} />
      {placed.kind === 'entry' ? 'start' : 'end'}
    </div>
  )
}

function TaskNode({ data }: { data: GraphNodeData }) {
  const { placed, overlay, idle, selected, onSelect } = data
  const node = placed.node!
  const container = placed.kind === 'container'
  const Icon = icons[node.kind] ?? Box
  return (
    <div
      data-state={overlay?.state}
      className={`relative h-full w-full overflow-hidden rounded-md border ${frameOf(data, container)} ${selected ? 'ring-2 ring-accent' : ''}`}
    >
      {overlay?.state === 'running' && <span aria-hidden className="race absolute inset-x-0 bottom-0 h-[3px]" />}
      <button
        type="button"
        aria-pressed={selected}
        disabled={!onSelect}
        onClick={() => onSelect?.(node.id)}
        style={{ height: container ? headerHeight : '100%' }}
        className="nodrag nopan pointer-events-auto flex w-full items-center gap-2 pr-2.5 pl-3 text-left -outline-offset-3 enabled:hover:bg-accent-wash disabled:cursor-default"
      >
        <Icon size={15} aria-hidden className={overlay ? 'shrink-0 text-(--state)' : 'shrink-0 text-soft'} />
        <span className={`flex min-w-0 flex-1 ${container ? 'items-baseline gap-2' : 'flex-col'}`}>
          <span className={`truncate font-mono text-xs font-medium ${idle && !overlay ? 'text-soft' : ''}`}>
            {node.name}
          </span>
          <span className="truncate text-2xs leading-tight text-soft">
            {node.kind}
            {node.detail && ` · ${node.detail}`}
            <span className="sr-only"> {whatHappened(data)}</span>
          </span>
        </span>
        {overlay && <Marks overlay={overlay} />}
      </button>
      {placed.slots.map(slot => (
        <div
          key={slot.name}
          aria-hidden
          style={{
            left: slot.x - 9,
            top: slot.y - 5,
            width: slot.width + 18,
            height: slot.height + 12,
          }}
          className="pointer-events-none absolute rounded-sm border border-dashed border-edge/60 px-2 pt-1 text-2xs text-soft"
        >
          {slot.name}
        </div>
      ))}
    </div>
  )
}

/** In words what colours and signs say. */
function whatHappened({ overlay, idle }: GraphNodeData): string {
  if (!overlay) return idle ? 'not reached' : ''
  return `${overlay.state}${overlay.total > 1 ? `, ${overlay.total} times` : ''}`
}

function frameOf({ overlay, idle }: GraphNodeData, container: boolean): string {
  if (overlay) {
    const ground = container
      ? 'bg-[color-mix(in_oklab,var(--state)_4%,var(--surface))]'
      : 'bg-[color-mix(in_oklab,var(--state)_9%,var(--raised))]'
    return `border-(--state) ${ground}`
  }
  if (container) return idle ? 'border-line bg-bg' : 'border-edge bg-bg'
  return idle ? 'border-line bg-surface' : 'border-edge bg-raised'
}

function Marks({ overlay }: { overlay: NodeOverlay }) {
  return (
    <span aria-hidden className="tabular flex shrink-0 items-center gap-1 text-2xs font-semibold text-(--state)">
      {overlay.total > 1 && <span title={`${overlay.total} steps, ${overlay.faulted} faulted`}>×{overlay.total}</span>}
      {overlay.attempt > 1 && <span title={`attempt ${overlay.attempt}`}>#{overlay.attempt}</span>}
      <StateMark state={overlay.state} size={13} />
    </span>
  )
}

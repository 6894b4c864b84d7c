import '@xyflow/react/dist/base.css'
import {
  BaseEdge,
  EdgeLabelRenderer,
  MarkerType,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Edge,
  type EdgeProps,
  type Node,
} from '@xyflow/react'
import { Maximize, Minus, Plus } from 'lucide-react'
import { useEffect, useMemo, useRef, type RefObject } from 'react'
import { IconButton } from '~/components/ui/button'
import type { Graph } from '~/lib/api'
import { edgeKey, layoutGraph, type GraphDrawing, type PlacedEdge } from './graph-layout-model'
import { GraphNodeView, type GraphNodeData, type NodeOverlay } from './graph-node'

interface FlowGraphProps {
  graph: Graph
  label: string
  /** What a run did, by node id; without it the plain definition is drawn. */
  activity?: { nodes: ReadonlyMap<number, NodeOverlay>; taken: ReadonlySet<string> } | undefined
  selected?: number | undefined
  /** The node to show first when the chart is larger than its space. */
  attention?: number | undefined
  onSelect?: (node: number) => void
}

type EdgeData = { placed: PlacedEdge; taken: boolean; active: boolean }

const nodeTypes = { placed: GraphNodeView }
const edgeTypes = { placed: EdgeView }
const zoomRange = { min: 0.2, max: 1.6 }
const margin = 24

/** A definition's tasks as a chart from top to bottom, with what a run did laid over it. */
export default function FlowGraph(props: FlowGraphProps) {
  return (
    <ReactFlowProvider>
      <Chart {...props} />
    </ReactFlowProvider>
  )
}

function Chart({ graph, label, activity, selected, attention, onSelect }: FlowGraphProps) {
  const drawing = useMemo(() => layoutGraph(graph), [graph])
  const nodes = useMemo(
    () =>
      drawing.nodes.map((placed): Node<GraphNodeData> => {
        const id = placed.node?.id
        const overlay = id === undefined ? undefined : activity?.nodes.get(id)
        return {
          id: placed.key,
          type: 'placed',
          position: { x: placed.x, y: placed.y },
          width: placed.width,
          height: placed.height,
          zIndex: placed.kind === 'container' ? placed.depth : 100,
          data: {
            placed,
            overlay,
            idle: activity !== undefined,
            selected: id !== undefined && id === selected,
            onSelect,
          },
        }
      }),
    [drawing, activity, selected, onSelect],
  )
  const edges = useMemo(() => drawing.edges.map(placed => edgeOf(placed, activity)), [drawing, activity])
  const box = useRef<HTMLDivElement>(null)
  const fit = useFirstView(drawing, box, attention)
  return (
    <div ref={box} role="group" aria-label={label} className="relative h-full w-full">
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        minZoom={zoomRange.min}
        maxZoom={zoomRange.max}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        panOnScroll
        zoomOnDoubleClick={false}
        onlyRenderVisibleElements={nodes.length > 300}
        proOptions={{ hideAttribution: true }}
      />
      <Controls onFit={fit} />
    </div>
  )
}

/** Shows the whole chart when it can be read so, else its top at a readable size; again when the space changes. */
function useFirstView(drawing: GraphDrawing, box: RefObject<HTMLDivElement | null>, attention: number | undefined) {
  const flow = useReactFlow()
  // Read when the chart is placed: it does not move under the reader's hand when the run goes on.
  const wanted = useRef(attention)
  useEffect(() => {
    wanted.current = attention
  }, [attention])
  useEffect(() => {
    const element = box.current
    if (!element) return
    const place = () => {
      const { clientWidth: width, clientHeight: height } = element
      if (width === 0 || height === 0) return
      const whole = Math.min((width - 2 * margin) / drawing.width, (height - 2 * margin) / drawing.height)
      const across = (width - 2 * margin) / drawing.width
      const scale = Math.min(1, whole >= 0.6 ? whole : Math.max(0.55, Math.min(across, 0.9)))
      const node = drawing.nodes.find(n => n.node?.id === wanted.current)
      const middle = node ? height / 2 - (node.y + Math.min(node.height, height) / 2) * scale : margin
      const lowest = height - margin - drawing.height * scale
      const y = whole >= scale ? (height - drawing.height * scale) / 2 : Math.min(margin, Math.max(lowest, middle))
      void flow.setViewport({ x: (width - drawing.width * scale) / 2, y, zoom: scale })
    }
    const observer = new ResizeObserver(place)
    observer.observe(element)
    return () => observer.disconnect()
  }, [drawing, flow, box])
  return () => void flow.fitView({ padding: 0.06, maxZoom: 1 })
}

function Controls({ onFit }: { onFit: () => void }) {
  const flow = useReactFlow()
  return (
    <div className="absolute right-2 bottom-2 z-10 flex rounded-sm border border-line bg-raised">
      <IconButton label="Zoom in" onClick={() => void flow.zoomIn()}>
        <Plus size={15} />
      </IconButton>
      <IconButton label="Zoom out" onClick={() => void flow.zoomOut()}>
        <Minus size={15} />
      </IconButton>
      <IconButton label="Fit the graph" onClick={onFit}>
        <Maximize size={14} />
      </IconButton>
    </div>
  )
}

function edgeOf(placed: PlacedEdge, activity: FlowGraphProps['activity']): Edge<EdgeData> {
  const taken = activity?.taken.has(edgeKey(placed.edge)) ?? false
  const target = placed.edge.to === null ? undefined : activity?.nodes.get(placed.edge.to)
  const color = taken || !activity ? 'var(--soft)' : 'var(--line)'
  return {
    id: placed.key,
    source: placed.source,
    target: placed.target,
    type: 'placed',
    zIndex: 50,
    focusable: false,
    data: { placed, taken: taken || !activity, active: taken && target?.state === 'running' },
    style: { stroke: color, strokeWidth: taken ? 1.8 : 1.3 },
    markerEnd: { type: MarkerType.ArrowClosed, color, width: 14, height: 14 },
  }
}

function EdgeView({ data, style, markerEnd }: EdgeProps<Edge<EdgeData>>) {
  if (!data) return null
  const { placed, active, taken } = data
  return (
    <>
      <BaseEdge
        path={placed.path}
        {...(style ? { style } : {})}
        {...(markerEnd ? { markerEnd } : {})}
        interactionWidth={0}
      />
      {active && (
        <path d={placed.path} data-state="running" className="flow" fill="none" stroke="var(--state)" strokeWidth={2} />
      )}
      {placed.label && placed.labelAt && (
        <EdgeLabelRenderer>
          <div
            style={{
              transform: `translate(-50%, -50%) translate(${placed.labelAt.x}px, ${placed.labelAt.y}px)`,
              zIndex: 110,
            }}
            className={`absolute max-w-40 truncate rounded-sm bg-bg px-1 font-mono text-2xs ${taken ? 'text-ink' : 'text-soft'}`}
          >
            {placed.label}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  )
}

import { CircleAlert, Info, TriangleAlert } from 'lucide-react'
import { useEffect, useMemo, useRef } from 'react'
import { CopyButton } from '~/components/ui/copy-button'
import { groupBy } from '~/lib/group'
import { highlightLines, type Segment } from './highlight'
import type { LineMarker } from './source-model'

interface SourceViewProps {
  source: string
  label: string
  markers?: readonly LineMarker[]
  /** A line to show and set off; from 1. `nonce` makes the same line jump again. */
  focus?: { line: number; nonce: number } | undefined
  /** Lines of the block that is selected, from 1. */
  block?: { from: number; to: number } | undefined
  /** Shows these lines only, from 1. */
  range?: { from: number; to: number }
  className?: string
}

const icons = { error: CircleAlert, warning: TriangleAlert, note: Info }
const states = { error: 'faulted', warning: 'waiting', note: 'running' } as const

/** A document to read: coloured, numbered, with each problem right below its line. */
export function SourceView({ source, label, markers = [], focus, block, range, className = '' }: SourceViewProps) {
  const lines = useMemo(() => highlightLines(source.replace(/\n$/, '')), [source])
  const byLine = useMemo(() => groupBy(markers, m => Math.min(m.line, lines.length)), [markers, lines.length])
  const scroller = useRef<HTMLDivElement>(null)
  const first = range?.from ?? 1
  useEffect(() => {
    if (!focus) return
    const line = scroller.current?.querySelector<HTMLElement>(`[data-line="${focus.line}"]`)
    // jsdom knows no scrolling.
    line?.scrollIntoView?.({ block: 'center' })
  }, [focus])
  return (
    <div className={`relative flex min-h-0 flex-col ${className}`}>
      <div className="absolute top-1.5 right-3 z-1">
        <CopyButton text={source} label="Copy source" className="bg-surface" />
      </div>
      {/* Scrolls by keyboard. */}
      <div
        ref={scroller}
        role="region"
        aria-label={label}
        tabIndex={0}
        className="min-h-0 flex-1 overflow-auto py-2 font-mono text-xs leading-5 -outline-offset-2"
      >
        <ol className="min-w-max">
          {lines.slice(first - 1, range?.to).map((segments, i) => (
            <Line
              key={first + i}
              number={first + i}
              segments={segments}
              markers={byLine.get(first + i)}
              focused={focus?.line === first + i}
              inBlock={block !== undefined && first + i >= block.from && first + i <= block.to}
            />
          ))}
        </ol>
      </div>
    </div>
  )
}

interface LineProps {
  number: number
  segments: Segment[]
  markers: LineMarker[] | undefined
  focused: boolean
  inBlock: boolean
}

function Line({ number, segments, markers, focused, inBlock }: LineProps) {
  const worst = markers?.find(m => m.severity === 'error') ?? markers?.[0]
  const Icon = worst ? icons[worst.severity] : null
  const ground = worst
    ? 'bg-[color-mix(in_oklab,var(--state)_12%,transparent)]'
    : focused
      ? 'bg-accent-wash'
      : inBlock
        ? 'bg-[color-mix(in_oklab,var(--accent)_8%,transparent)]'
        : ''
  return (
    <li data-line={number} data-state={worst ? states[worst.severity] : undefined}>
      <div className={`flex ${ground} ${inBlock ? 'shadow-[inset_3px_0_0_var(--accent)]' : ''}`}>
        <span
          aria-hidden
          className="sticky left-0 flex w-14 shrink-0 items-center justify-end gap-1 pr-3 text-soft select-none"
        >
          {Icon && <Icon size={13} className="text-(--state)" />}
          {number}
        </span>
        <code className="pr-12 whitespace-pre">
          {segments.map((s, i) => (
            <span key={i} className={s.className}>
              {s.text}
            </span>
          ))}
          {segments.length === 0 && ' '}
        </code>
      </div>
      {markers?.map((marker, i) => (
        <Message key={i} marker={marker} line={number} />
      ))}
    </li>
  )
}

function Message({ marker, line }: { marker: LineMarker; line: number }) {
  return (
    <div
      data-state={states[marker.severity]}
      role="note"
      aria-label={`${marker.severity} at line ${line}`}
      className="sticky left-0 flex w-fit max-w-[min(46rem,calc(100vw-4rem))] gap-2 py-0.5 pr-4 pl-14 font-sans text-xs"
    >
      <span aria-hidden className="text-(--state)">
        ↑
      </span>
      <p className="min-w-0">
        <span className="font-medium text-(--state)">{marker.message}</span>
        {marker.hint && <span className="text-soft"> {marker.hint}</span>}
        {marker.code && <span className="ml-2 font-mono text-2xs text-soft">{marker.code}</span>}
      </p>
    </div>
  )
}

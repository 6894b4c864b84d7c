import { ChevronLeft, ChevronRight, Maximize, Minus, Plus } from 'lucide-react'
import { useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { IconButton } from '~/components/ui/button'
import { useRowWindow } from '~/components/row-window'
import { isFinished } from '~/lib/api'
import { formatDuration, useNow } from '~/lib/time'
import type { RunView } from './run-fold-model'
import { stepRows, type StepRow } from './step-tree-model'
import { pan, ticksOf, windowOf, zoom, type TimeWindow } from './timeline-model'
import { axisHeight, rowHeight, TimelineRow } from './timeline-row'

interface TimelineProps {
  view: RunView
  selected: number | undefined
  onSelect: (step: number) => void
  /** Reads the steps that were left out when the run was opened. */
  onMore: () => void
}

/** The tree of steps with a bar for each: what ran when, for how long, inside what. */
export function Timeline({ view, selected, onSelect, onMore }: TimelineProps) {
  const now = useNow(isFinished(view.run.state) ? 'still' : 'fast')
  const [closed, setClosed] = useState<ReadonlySet<number>>(new Set())
  const [chosen, setChosen] = useState<TimeWindow | null>(null)
  const rows = useMemo(() => stepRows(view.steps, closed), [view.steps, closed])
  const whole = windowOf(view.run, view.steps.values(), now)
  const shown = chosen ?? whole
  const origin = Date.parse(view.run.startedAt ?? view.run.createdAt)
  const toggle = (step: number, open: boolean) =>
    setClosed(old => {
      const next = new Set(old)
      if (open) next.delete(step)
      else next.add(step)
      return next
    })
  return (
    <div className="flex min-h-0 flex-1 flex-col bg-surface">
      <div className="flex items-center justify-between gap-2 border-b border-line py-0.5 pr-2 pl-4">
        <p className="tabular text-xs text-soft">
          {view.steps.size} steps over {formatDuration(whole.to - whole.from)}
          {view.more !== null && (
            <>
              , the first ones of a longer run.{' '}
              <button type="button" onClick={onMore} className="text-accent underline">
                Load more
              </button>
            </>
          )}
        </p>
        <div role="group" aria-label="Zoom" className="flex">
          <IconButton label="Zoom in" onClick={() => setChosen(zoom(shown, whole, 0.5, 0.5))}>
            <Plus size={15} />
          </IconButton>
          <IconButton label="Zoom out" onClick={() => setChosen(zoom(shown, whole, 2, 0.5))} disabled={!chosen}>
            <Minus size={15} />
          </IconButton>
          <IconButton label="Earlier" onClick={() => setChosen(pan(shown, whole, -0.5))} disabled={!chosen}>
            <ChevronLeft size={15} />
          </IconButton>
          <IconButton label="Later" onClick={() => setChosen(pan(shown, whole, 0.5))} disabled={!chosen}>
            <ChevronRight size={15} />
          </IconButton>
          <IconButton label="Fit the whole run" onClick={() => setChosen(null)} disabled={!chosen}>
            <Maximize size={14} />
          </IconButton>
        </div>
      </div>
      <Rows
        rows={rows}
        shown={shown}
        origin={origin}
        now={now}
        selected={selected}
        onSelect={onSelect}
        onToggle={toggle}
      />
    </div>
  )
}

interface RowsProps {
  rows: readonly StepRow[]
  shown: TimeWindow
  origin: number
  now: number
  selected: number | undefined
  onSelect: (step: number) => void
  onToggle: (step: number, open: boolean) => void
}

function Rows({ rows, shown, origin, now, selected, onSelect, onToggle }: RowsProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const part = useRowWindow(scroller, rows.length, rowHeight, axisHeight)
  const [focused, setFocused] = useState<number | null>(null)
  const at = Math.max(
    0,
    rows.findIndex(r => r.step.id === (focused ?? selected)),
  )
  const move = (to: number) => {
    const row = rows[Math.min(Math.max(0, to), rows.length - 1)]
    if (!row) return
    setFocused(row.step.id)
    part.show(rows.indexOf(row))
    // The row may have to be rendered first.
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-step="${row.step.id}"]`)?.focus())
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[at]
    if (!row) return
    const keys: Record<string, () => void> = {
      ArrowDown: () => move(at + 1),
      ArrowUp: () => move(at - 1),
      Home: () => move(0),
      End: () => move(rows.length - 1),
      ArrowRight: () => (row.children > 0 && !row.open ? onToggle(row.step.id, true) : move(at + 1)),
      ArrowLeft: () =>
        row.children > 0 && row.open
          ? onToggle(row.step.id, false)
          : move(rows.slice(0, at).findLastIndex(r => r.depth < row.depth)),
      Enter: () => onSelect(row.step.id),
      ' ': () => onSelect(row.step.id),
    }
    const act = keys[event.key]
    if (!act) return
    event.preventDefault()
    act()
  }
  const ticks = ticksOf(shown, origin, 6)
  return (
    <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto max-lg:max-h-[70dvh]">
      <div
        aria-hidden
        style={{ height: axisHeight }}
        className="timeline-grid sticky top-0 z-10 border-b border-line bg-surface"
      >
        <span />
        <span className="relative overflow-hidden">
          {ticks.map(t => (
            <span
              key={t.label}
              style={{ left: `${t.at * 100}%` }}
              className="tabular absolute top-0 border-l border-line pt-0.5 pl-1 text-2xs text-soft"
            >
              {t.label}
            </span>
          ))}
        </span>
      </div>
      <div
        role="tree"
        aria-label="Steps"
        tabIndex={-1}
        onKeyDown={onKeyDown}
        style={{ height: rows.length * rowHeight }}
        className="relative"
      >
        {rows.slice(part.from, part.to).map((row, i) => (
          <TimelineRow
            key={row.step.id}
            row={row}
            top={(part.from + i) * rowHeight}
            shown={shown}
            ticks={ticks}
            now={now}
            selected={row.step.id === selected}
            reachable={part.from + i === at}
            onSelect={() => {
              setFocused(row.step.id)
              onSelect(row.step.id)
            }}
            onToggle={() => onToggle(row.step.id, !row.open)}
          />
        ))}
      </div>
    </div>
  )
}

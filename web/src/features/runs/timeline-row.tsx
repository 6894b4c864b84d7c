import { ChevronRight, GitBranch, Undo2 } from 'lucide-react'
import { StateMark } from '~/components/ui/state'
import type { Step } from '~/lib/api'
import { formatDuration, spanMs } from '~/lib/time'
import type { StepRow } from './step-tree-model'
import { barOf, type Bar, type Tick, type TimeWindow } from './timeline-model'

export const rowHeight = 28
export const axisHeight = 24

interface TimelineRowProps {
  row: StepRow
  top: number
  shown: TimeWindow
  ticks: readonly Tick[]
  now: number
  selected: boolean
  /** The one row that Tab reaches; arrow keys go on from there. */
  reachable: boolean
  onSelect: () => void
  onToggle: () => void
}

export function TimelineRow({
  row,
  top,
  shown,
  ticks,
  now,
  selected,
  reachable,
  onSelect,
  onToggle,
}: TimelineRowProps) {
  const { step, depth, children, open } = row
  const bar = barOf(step, shown, now)
  const span = formatDuration(spanMs(step.startedAt, step.endedAt, now) ?? 0)
  return (
    // Keys are handled by the tree, which knows the neighbours.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
    <div
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={selected}
      {...(children > 0 ? { 'aria-expanded': open } : {})}
      data-step={step.id}
      data-state={step.state}
      tabIndex={reachable ? 0 : -1}
      onClick={onSelect}
      style={{ top, height: rowHeight }}
      className="timeline-grid absolute inset-x-0 cursor-pointer items-center -outline-offset-2 hover:bg-accent-wash aria-selected:bg-accent-wash"
    >
      <span className="flex min-w-0 items-center gap-1.5 pr-2" style={{ paddingLeft: 8 + Math.min(depth, 12) * 14 }}>
        <Chevron open={open} visible={children > 0} onToggle={onToggle} />
        <StateMark state={step.state} named size={13} />
        <span className="min-w-0 truncate font-mono text-xs">{step.name}</span>
        <Marks step={step} nth={row.nth} />
      </span>
      <span className="relative h-full overflow-hidden">
        {ticks.map(t => (
          <span
            key={t.label}
            style={{ left: `${t.at * 100}%` }}
            className="absolute inset-y-0 border-l border-line opacity-60"
          />
        ))}
        {bar && <BarView bar={bar} step={step} span={span} container={children > 0} />}
      </span>
    </div>
  )
}

function Chevron({ open, visible, onToggle }: { open: boolean; visible: boolean; onToggle: () => void }) {
  if (!visible) return <span className="w-4 shrink-0" />
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-hidden
      onClick={event => {
        event.stopPropagation()
        onToggle()
      }}
      className="flex size-4 shrink-0 items-center justify-center text-soft"
    >
      <ChevronRight size={13} className={`transition-transform ${open ? 'rotate-90' : ''}`} />
    </button>
  )
}

function Marks({ step, nth }: { step: Step; nth: number }) {
  return (
    <span className="tabular flex shrink-0 items-center gap-1 text-2xs text-soft">
      {typeof step.iteration === 'number' && <span title={`iteration ${step.iteration}`}>[{step.iteration}]</span>}
      {nth > 1 && (
        <span title={`attempt ${nth}`} className="rounded-sm bg-sunken px-1 font-medium text-ink">
          #{nth}
        </span>
      )}
      {step.child && <GitBranch size={11} aria-label="has a child run" />}
      {typeof step.compensates === 'number' && (
        <span title={`undoes step ${step.compensates}`} className="inline-flex items-center gap-0.5">
          <Undo2 size={11} aria-hidden /> <span className="sr-only lg:not-sr-only">undoes step</span> {step.compensates}
        </span>
      )}
    </span>
  )
}

/** Steps that spend their time waiting for something else; drawn hollow, so that work stands out. */
const rests = (step: Step) => step.kind === 'wait' || step.kind === 'listen' || Boolean(step.child)

function BarView({ bar, step, span, container }: { bar: Bar; step: Step; span: string; container: boolean }) {
  const { left, width } = bar
  const end = left + width
  const hollow = step.state === 'waiting' || rests(step)
  const look = container
    ? 'h-1.5 rounded-full bg-[color-mix(in_oklab,var(--state)_45%,transparent)]'
    : hollow
      ? 'h-3.5 rounded-[2px] border border-(--state) bg-[color-mix(in_oklab,var(--state)_22%,transparent)]'
      : `h-3 rounded-[2px] ${step.state === 'running' ? 'race' : 'bg-(--state)'}`
  const percent = (share: number) => `${share * 100}%`
  return (
    <>
      {bar.wake !== undefined && bar.wake > end && (
        <span
          style={{ left: percent(end), right: percent(Math.max(0, 1 - bar.wake)) }}
          className="absolute inset-y-0 my-auto h-0 border-t border-dashed border-(--state)"
        />
      )}
      <span
        style={{ left: percent(left), width: `max(${percent(width)}, 3px)` }}
        className={`absolute inset-y-0 my-auto ${look}`}
      />
      <span
        style={
          end < 0.75
            ? { left: `calc(${percent(end)} + 7px)` }
            : left > 0.15
              ? { right: `calc(${percent(1 - left)} + 5px)` }
              : { left: `calc(${percent(left)} + 7px)` }
        }
        className={`tabular absolute inset-y-0 my-auto h-fit font-mono text-2xs whitespace-nowrap ${labelLook(bar, hollow && !container)}`}
      >
        {span}
      </span>
    </>
  )
}

/** Beside its bar; on it only where neither side has room, and there only a hollow bar leaves it legible. */
function labelLook({ left, width }: Bar, hollow: boolean): string {
  const on = left + width >= 0.85 && left <= 0.15
  if (!on) return 'text-soft'
  return hollow ? 'text-ink' : 'rounded-[2px] bg-surface px-1 text-ink'
}

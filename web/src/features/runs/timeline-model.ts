import type { Run, Step } from '~/lib/api'
import { isFinished } from '~/lib/api'

/** The stretch of time that is drawn, in milliseconds since 1970. */
export interface TimeWindow {
  from: number
  to: number
}

export interface Bar {
  /** Shares of the window, in [0, 1]. */
  left: number
  width: number
  /** The bar is still growing. */
  open: boolean
  /** Where a wait is known to end, as a share of the window; may lie beyond 1. */
  wake?: number
}

export interface Tick {
  at: number
  label: string
}

/** From the start to the end of the run, or to now while it goes on; never empty. */
export function windowOf(run: Run, steps: Iterable<Step>, now: number): TimeWindow {
  let from = Date.parse(run.startedAt ?? run.createdAt)
  let to = run.endedAt ? Date.parse(run.endedAt) : isFinished(run.state) ? from : now
  for (const step of steps) {
    from = Math.min(from, Date.parse(step.startedAt))
    if (step.endedAt) to = Math.max(to, Date.parse(step.endedAt))
  }
  return { from, to: Math.max(to, from + 1) }
}

/** Zooms around a point (a share of the window) and stays within the whole. */
export function zoom(window: TimeWindow, whole: TimeWindow, factor: number, around: number): TimeWindow {
  const span = Math.min(whole.to - whole.from, Math.max(1, (window.to - window.from) * factor))
  const pivot = window.from + (window.to - window.from) * around
  return clampWindow(pivot - span * around, span, whole)
}

/** Moves by a share of the window and stays within the whole. */
export function pan(window: TimeWindow, whole: TimeWindow, share: number): TimeWindow {
  const span = window.to - window.from
  return clampWindow(window.from + span * share, span, whole)
}

function clampWindow(from: number, span: number, whole: TimeWindow): TimeWindow {
  const start = Math.min(Math.max(from, whole.from), Math.max(whole.from, whole.to - span))
  return { from: start, to: start + span }
}

/** Null when nothing of the step lies in the window. */
export function barOf(step: Step, window: TimeWindow, now: number): Bar | null {
  const span = window.to - window.from
  const open = !isFinished(step.state)
  const start = Date.parse(step.startedAt)
  const end = step.endedAt ? Date.parse(step.endedAt) : open ? Math.max(now, start) : start
  if (end < window.from || start > window.to) return null
  const left = Math.max(0, (start - window.from) / span)
  const right = Math.min(1, (end - window.from) / span)
  const bar: Bar = { left, width: Math.max(0, right - left), open }
  if (open && step.wakeAt) bar.wake = (Date.parse(step.wakeAt) - window.from) / span
  return bar
}

/** Round marks, about `count` of them, labelled by the time since the run's start. */
export function ticksOf(window: TimeWindow, origin: number, count: number): Tick[] {
  const span = window.to - window.from
  const step = roundStep(span / Math.max(1, count))
  const ticks: Tick[] = []
  const first = Math.ceil((window.from - origin) / step) * step
  for (let t = first; t <= window.to - origin && ticks.length < 50; t += step) {
    ticks.push({ at: (origin + t - window.from) / span, label: tickLabel(t, step) })
  }
  return ticks
}

const seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]

function roundStep(ms: number): number {
  if (ms < 1000) {
    const power = 10 ** Math.floor(Math.log10(Math.max(ms, 1)))
    return [1, 2, 5, 10].map(n => n * power).find(n => n >= ms) ?? 1000
  }
  return (seconds.find(s => s * 1000 >= ms) ?? Math.ceil(ms / 86_400_000) * 86_400) * 1000
}

function tickLabel(ms: number, step: number): string {
  if (ms === 0) return '0'
  if (step < 1000) return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(step < 100 ? 2 : 1)} s`
  if (step < 60_000) {
    const s = Math.round(ms / 1000)
    return s < 60 ? `${s} s` : `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`
  }
  if (step < 3_600_000) {
    const m = Math.round(ms / 60_000)
    return m < 60 ? `${m} min` : `${Math.floor(m / 60)} h ${String(m % 60).padStart(2, '0')}`
  }
  const h = Math.round(ms / 3_600_000)
  return h < 48 ? `${h} h` : `${Math.floor(h / 24)} d ${h % 24} h`
}

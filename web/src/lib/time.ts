import { useSyncExternalStore } from 'react'

/** `83 ms`, `4.2 s`, `2 m 05 s`, `3 h 12 m`, `5 d 04 h`. Negative spans (skewed clocks) show as zero. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  const span = Math.max(0, ms)
  if (span < 1000) return `${Math.round(span)} ms`
  if (span < 59_950) return `${(span / 1000).toFixed(1)} s`
  const seconds = Math.round(span / 1000)
  const two = (n: number) => String(n).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`
  const hours = Math.floor(minutes / 60)
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`
}

/** Milliseconds from `from` to `to`, or to `now` while `to` is open. */
export function spanMs(from: string | null | undefined, to: string | null | undefined, now: number): number | null {
  if (!from) return null
  return Math.max(0, (to ? Date.parse(to) : now) - Date.parse(from))
}

/** `just now`, `3 min ago`, `in 12 s`: for reading; the exact time stands beside it in a title. */
export function formatRelative(time: string, now: number): string {
  const ms = Date.parse(time) - now
  const span = Math.abs(ms)
  if (span < 1500) return ms > 0 ? 'in a moment' : 'just now'
  const [unit, size] =
    span < 60_000
      ? ['s', 1000]
      : span < 3_600_000
        ? ['min', 60_000]
        : span < 86_400_000
          ? ['h', 3_600_000]
          : ['d', 86_400_000]
  const text = `${Math.floor(span / (size as number))} ${unit}`
  return ms > 0 ? `in ${text}` : `${text} ago`
}

/** The zone of the times that are shown, such as Europe/Berlin. */
export const localZone = new Intl.DateTimeFormat().resolvedOptions().timeZone

/** Local time to the millisecond, with the date unless it is today. */
export function formatTime(time: string, now: number = Date.now()): string {
  const date = new Date(time)
  const two = (n: number, width = 2) => String(n).padStart(width, '0')
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${two(date.getMilliseconds(), 3)}`
  if (date.toDateString() === new Date(now).toDateString()) return clock
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`
}

/** For a title: the whole time, with what it is off UTC. */
export function formatMoment(time: string): string {
  const date = new Date(time)
  const minutes = -date.getTimezoneOffset()
  const two = (n: number) => String(Math.floor(Math.abs(n))).padStart(2, '0')
  const offset = minutes === 0 ? '' : `${minutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`
  return `${formatTime(time, NaN)} UTC${offset}`
}

/** One timer per interval for the whole page, running only while somebody looks. */
class Ticker {
  #listeners = new Set<() => void>()
  #timer: ReturnType<typeof setInterval> | undefined
  now = Date.now()

  constructor(private readonly intervalMs: number) {}

  subscribe = (listener: () => void) => {
    this.now = Date.now()
    this.#listeners.add(listener)
    this.#timer ??= setInterval(() => {
      this.now = Date.now()
      for (const each of this.#listeners) each()
    }, this.intervalMs)
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }
}

const fast = new Ticker(250)
const slow = new Ticker(5_000)
const still = { subscribe: () => () => {} }

/** The time now, renewed four times a second (`fast`), every five seconds (`slow`), or not at all. */
export function useNow(pace: 'fast' | 'slow' | 'still'): number {
  const ticker = pace === 'fast' ? fast : slow
  return useSyncExternalStore(pace === 'still' ? still.subscribe : ticker.subscribe, () => ticker.now)
}

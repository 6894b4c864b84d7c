import type { Json } from '~/lib/api'
import type { Backfilled, Schedule, Trigger } from './schedule'
import { formatRelative } from '~/lib/time'

/** When a schedule starts runs, as its document says it: `0 8 * * * in Europe/Berlin`, `every PT1H`, `10 m after each run`. */
export function timesText({ times, timeZone }: Pick<Schedule, 'times' | 'timeZone'>): string {
  if (times.cron) return `${times.cron} in ${timeZone}`
  if (times.every !== undefined) return `every ${durationText(times.every)}`
  return `${durationText(times.after ?? '')} after each run`
}

/** What a definition listens for: `order.paid from /shop, any event`. */
export function listensText({ events }: Pick<Trigger, 'events'>): string {
  return events.map(({ type, source }) => `${type ?? 'any event'}${source ? ` from ${source}` : ''}`).join(', ')
}

function durationText(duration: Json): string {
  if (typeof duration === 'string') return duration.replace(/^PT?/, '').replace('T', ' ').toLowerCase()
  if (typeof duration !== 'object' || duration === null) return String(duration)
  return Object.entries(duration)
    .map(([unit, count]) => `${String(count)} ${unit}`)
    .join(' ')
}

/** What comes next, or why nothing does. */
export function nextText({ paused, nextAt, running, error }: Schedule, now: number): string {
  if (paused) return 'paused'
  if (error) return 'cannot be followed'
  if (nextAt) return formatRelative(nextAt, now)
  return running ? 'when its run has ended' : 'never again'
}

/** What is wrong with a time that is to be made up for, as a form holds it. */
export function checkSpan({ from, to }: { from: string; to: string }): { from?: string; to?: string } {
  const [begin, end] = [Date.parse(from), Date.parse(to)]
  if (Number.isNaN(begin)) return { from: 'Say where it begins.' }
  if (Number.isNaN(end)) return { to: 'Say where it ends.' }
  return begin > end ? { to: 'It ends before it begins.' } : {}
}

export function backfillText({ started, known }: Backfilled): string {
  const ticks = (count: number) => `${count} ${count === 1 ? 'tick' : 'ticks'}`
  if (started + known === 0) return 'The schedule names no tick in that time that has passed.'
  return `${started} ${started === 1 ? 'run begins' : 'runs begin'}${known === 0 ? '' : `; ${ticks(known)} had one already`}.`
}

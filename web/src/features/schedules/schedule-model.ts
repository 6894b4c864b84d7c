import type { Json } from '~/lib/api'
import type { Schedule } from './schedule'
import { formatRelative } from '~/lib/time'

/** When a schedule starts runs, as its document says it: `0 8 * * * in Europe/Berlin`, `every PT1H`, `10 m after each run`. */
export function timesText({ times, timeZone }: Pick<Schedule, 'times' | 'timeZone'>): string {
  if (times.cron) return `${times.cron} in ${timeZone}`
  if (times.every !== undefined) return `every ${durationText(times.every)}`
  return `${durationText(times.after ?? '')} after each run`
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

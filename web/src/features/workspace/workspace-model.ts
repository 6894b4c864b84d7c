import { Problem } from '~/lib/http'
import { formatDuration, spanMs } from '~/lib/time'
import type { Retention, RunLimit, WorkspaceLimit } from './workspace'

/** How many runs hold a limit and how many wait for it. */
export function lineText({ kind, held, limit, queued, oldestSince }: RunLimit, now: number): string {
  const first = oldestSince ? `, the first for ${formatDuration(spanMs(oldestSince, null, now) ?? 0)}` : ''
  return `${kind === 'slot' ? `${held} of ${limit} at work, ` : ''}${queued} waiting${first}`
}

/** Under this name runs wait for the limit of the whole workspace, which is set with its weight. */
export const workspaceLine = 'workspace'

/** A limit is a number of runs or of starts; what waits for quiet has none. */
export function canSet({ kind, name }: RunLimit): boolean {
  return kind !== 'quiet' && name !== workspaceLine
}

export const limitMax = 1_000_000

/** @returns Null when the text is no limit. */
export function readLimit(text: string, most = limitMax): number | null {
  const value = Number(text)
  return text.trim() !== '' && Number.isInteger(value) && value >= 1 && value <= most ? value : null
}

/** The texts of the form of the workspace's weight and limit. */
export interface LimitForm {
  weight: string
  limit: string
}

export const limitForm = ({ weight, limit }: WorkspaceLimit): LimitForm => ({
  weight: String(weight),
  limit: limit === null ? '' : String(limit),
})

export function checkLimits(form: LimitForm): Partial<Record<keyof LimitForm, string>> {
  return {
    ...(readLimit(form.weight, 100) === null ? { weight: 'A whole number from 1 to 100.' } : {}),
    ...(form.limit.trim() !== '' && readLimit(form.limit) === null ? { limit: 'A whole number, or nothing.' } : {}),
  }
}

export const limitsOf = (form: LimitForm): WorkspaceLimit => ({
  weight: Number(form.weight),
  limit: form.limit.trim() === '' ? null : Number(form.limit),
})

export const ends = ['completed', 'faulted', 'cancelled'] as const
export type End = (typeof ends)[number]

export const retentionForm = (retention: Retention): Record<End, string> => ({
  completed: retention.completed ?? '',
  faulted: retention.faulted ?? '',
  cancelled: retention.cancelled ?? '',
})

export const retentionOf = (form: Record<End, string>): Retention => ({
  completed: form.completed.trim() || null,
  faulted: form.faulted.trim() || null,
  cancelled: form.cancelled.trim() || null,
})

/** What the server refused of a body, by the member it stands in. */
export function refusalsOf<Name extends string>(error: unknown, names: readonly Name[]): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {}
  if (!(error instanceof Problem)) return found
  for (const { pointer, message, expected } of error.causes) {
    const name = names.find(n => pointer === `/${n}`)
    if (name) found[name] ??= expected ? `${message} Expected: ${expected}.` : message
  }
  return found
}

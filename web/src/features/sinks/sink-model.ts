import type { RunState } from '~/lib/api'
import { Problem } from '~/lib/http'
import { pendingMax, type Sink, type SinkBody, type SinkState } from './sink'

/** A state of a sink and the state of a run that has its colour and shape. */
export const looks: Record<SinkState, { look: RunState; words: string }> = {
  active: { look: 'completed', words: 'active' },
  failing: { look: 'waiting', words: 'failing' },
  paused: { look: 'suspended', words: 'paused' },
  dead: { look: 'faulted', words: 'given up' },
}

export const units = { minutes: 60, hours: 3_600, days: 86_400 } as const
export type Unit = keyof typeof units

/** The form's texts. */
export interface SinkForm {
  name: string
  url: string
  /** One a line. */
  types: string
  secret: string
  mode: Sink['mode']
  patience: string
  unit: Unit
}

export function formOf(sink: Sink | null): SinkForm {
  if (!sink) return { name: '', url: '', types: '', secret: '', mode: 'structured', patience: '3', unit: 'days' }
  const { name, url, types, secret, mode, patienceSeconds } = sink
  const unit = (['days', 'hours'] as const).find(u => patienceSeconds % units[u] === 0) ?? 'minutes'
  const patience = String(patienceSeconds / units[unit])
  return { name, url, types: types.join('\n'), secret: secret ?? '', mode, patience, unit }
}

export function bodyOf(form: SinkForm): SinkBody {
  return {
    name: form.name.trim(),
    url: form.url.trim(),
    types: form.types.split(/[\s,]+/).filter(t => t !== ''),
    secret: form.secret.trim(),
    mode: form.mode,
    patienceSeconds: Math.round(Number(form.patience) * units[form.unit]),
  }
}

export type Errors = Partial<Record<'name' | 'url' | 'types' | 'secret' | 'patience', string>>

/** What has to be mended before anything is sent. */
export function check(form: SinkForm): Errors {
  const { name, url, patienceSeconds } = bodyOf(form)
  const errors: Errors = {}
  if (name === '') errors.name = 'A sink needs a name.'
  if (!/^https?:\/\/./.test(url)) errors.url = 'An address begins with http:// or https://.'
  if (form.patience.trim() === '' || !(patienceSeconds >= 1 && patienceSeconds <= 365 * units.days))
    errors.patience = 'At least a second, at most a year.'
  return errors
}

/** What the server refused, by the field it stands in. */
export function refusals(error: unknown): Errors {
  if (!(error instanceof Problem)) return {}
  if (error.code === 'sink.exists') return { name: 'There is a sink of that name.' }
  const found: Errors = {}
  for (const { pointer, message, expected } of error.causes) {
    const field = /^\/(name|url|types|secret|patience)/.exec(pointer ?? '')?.[1] as keyof Errors | undefined
    if (field) found[field] ??= expected ? `${message} Expected: ${expected}.` : message
  }
  return found
}

export function typesText({ types }: Sink): string {
  return types.length === 0 ? 'every type' : types.join(', ')
}

export function pendingText({ pending }: Sink): string {
  return pending >= pendingMax ? `${pendingMax} or more` : String(pending)
}

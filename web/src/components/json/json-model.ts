import type { Json } from '~/lib/api'

/** Characters of a text that are shown before the rest is asked for. */
export const textMax = 2_000

/** Members of an object, items of an array by index; null for anything else. */
export function childrenOf(value: Json): [string, Json][] | null {
  if (Array.isArray(value)) return value.map((item, i) => [String(i), item])
  return typeof value === 'object' && value !== null ? Object.entries(value) : null
}

/** A closed branch in one line: `{ name, tags, … 4 more }`, `[ 12 items ]`. */
export function previewOf(value: Json): string {
  if (Array.isArray(value)) return `[ ${value.length} item${value.length === 1 ? '' : 's'} ]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const keys = Object.keys(value)
  const shown = keys.slice(0, 4).map(k => (k.length > 24 ? `${k.slice(0, 23)}…` : k))
  return `{ ${shown.join(', ')}${keys.length > 4 ? `, … ${keys.length - 4} more` : ''} }`
}

/** `912 B`, `4.1 kB`, `12 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power - 1]}`
}

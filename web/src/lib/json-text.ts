import { parser } from '@lezer/json'
import type { Json } from './api'

/** Parses JSON as typed by hand. The error says from where it is none: what the browser says differs from one to the next. */
export function readJson(text: string): { value: Json } | { error: string; at: number } {
  try {
    return { value: JSON.parse(text) as Json }
  } catch {
    const at = firstError(text)
    const before = text.slice(0, at).split('\n')
    return { error: `This is not JSON, from line ${before.length}, column ${before.at(-1)!.length + 1}.`, at }
  }
}

function firstError(text: string): number {
  let at = text.length
  parser.parse(text).iterate({
    enter: node => {
      if (node.type.isError) at = Math.min(at, node.from)
    },
  })
  return at
}

import type { Diagnostic, GraphNode } from '~/lib/api'

/** A line of a document that wants attention. */
export interface LineMarker {
  /** From 1. */
  line: number
  /** From 1; absent when the whole line is meant. */
  column?: number
  severity: 'error' | 'warning' | 'note'
  message: string
  code?: string
  hint?: string
}

export function markersOf(diagnostics: readonly Diagnostic[]): LineMarker[] {
  return diagnostics
    .map((d): LineMarker => ({
      line: Math.max(1, d.line),
      column: Math.max(1, d.column),
      severity: d.severity,
      message: d.message,
      code: d.code,
      ...(d.expected && !d.message.includes(d.expected) ? { hint: `Expected ${d.expected}.` } : {}),
    }))
    .toSorted((a, b) => a.line - b.line || (a.column ?? 0) - (b.column ?? 0))
}

/** `1 error, 2 warnings`, or null when there is nothing to count. */
export function countMarkers(markers: readonly LineMarker[]): string | null {
  const count = (severity: LineMarker['severity'], word: string) => {
    const n = markers.filter(m => m.severity === severity).length
    return n === 0 ? [] : [`${n} ${word}${n === 1 ? '' : 's'}`]
  }
  const parts = [...count('error', 'error'), ...count('warning', 'warning'), ...count('note', 'note')]
  return parts.length === 0 ? null : parts.join(', ')
}

/** The task a JSON pointer of the document lies in: the node with the longest reference that leads to it. */
export function nodeAtPointer(nodes: readonly GraphNode[], pointer: string | null | undefined): GraphNode | undefined {
  if (!pointer) return undefined
  const leadsTo = (n: GraphNode) => pointer === n.reference || pointer.startsWith(`${n.reference}/`)
  return nodes.filter(leadsTo).toSorted((a, b) => b.reference.length - a.reference.length)[0]
}

/** Lines of the block that begins at `line` (all from 1): itself and what is indented more deeply, without blank lines at the end. */
export function blockAt(source: string, line: number): { from: number; to: number } {
  const lines = source.split('\n')
  const indent = (text: string) => text.length - text.trimStart().length
  const first = lines[line - 1] ?? ''
  // `- name:` counts from the name: its content stands deeper than the dash.
  const own = indent(first)
  let to = line
  for (let i = line; i < lines.length; i++) {
    const text = lines[i]!
    if (text.trim() === '') continue
    if (indent(text) <= own) break
    to = i + 1
  }
  return { from: line, to }
}

/** Where the language takes an expression without `${ }`. */
const bare = /^\s*(?:- )?(?:if|when|exceptWhen|in|while|as|from):\s+(["']?)([.$([{|>].*?)\1\s*$/

/** Runtime expressions inside a block, each with its line; at most `max`. Of one that stands over several lines, the first. */
export function expressionsIn(source: string, from: number, to: number, max = 8): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = []
  const lines = source.split('\n')
  for (let line = from; line <= Math.min(to, lines.length) && found.length < max; line++) {
    const text = lines[line - 1]!
    const value = bare.exec(text)?.[2]
    if (value !== undefined && /^[|>][+-]?$/.test(value)) {
      found.push({ line: line + 1, text: `${(lines[line] ?? '').trim()} …` })
    } else if (value !== undefined && !value.includes('${')) found.push({ line, text: value })
    else for (const one of enclosedIn(text)) found.push({ line, text: one })
  }
  return found.slice(0, max)
}

function enclosedIn(text: string): string[] {
  const found: string[] = []
  for (let at = text.indexOf('${'); at >= 0; at = text.indexOf('${', at + 2)) {
    const end = closingBrace(text, at + 2)
    found.push(end < 0 ? text.slice(at) : text.slice(at, end + 1))
  }
  return found
}

function closingBrace(text: string, from: number): number {
  let depth = 1
  let quoted = false
  for (let i = from; i < text.length; i++) {
    const c = text[i]
    if (quoted && c === '\\') i++
    else if (c === '"') quoted = !quoted
    else if (!quoted && c === '{') depth++
    else if (!quoted && c === '}' && --depth === 0) return i
  }
  return -1
}

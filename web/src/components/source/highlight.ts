import { classHighlighter, highlightTree } from '@lezer/highlight'
import { parser } from '@lezer/yaml'

export interface Segment {
  text: string
  className: string
}

/** Source text beyond which colours are left out, in characters. */
const coloursMax = 300_000

/** YAML (and so JSON) as lines of coloured segments; runtime expressions stand out inside their texts. */
export function highlightLines(source: string): Segment[][] {
  const segments: Segment[] = []
  let at = 0
  const plain = (to: number) => {
    if (to > at) segments.push({ text: source.slice(at, to), className: '' })
    at = to
  }
  if (source.length <= coloursMax) {
    highlightTree(parser.parse(source), classHighlighter, (from, to, classes) => {
      plain(from)
      segments.push({ text: source.slice(from, to), className: classes })
      at = to
    })
  }
  plain(source.length)
  return toLines(segments.flatMap(markExpressions))
}

function markExpressions(segment: Segment): Segment[] {
  if (!segment.text.includes('${')) return [segment]
  return segment.text
    .split(/(\$\{[^}]*\}?)/)
    .filter(text => text !== '')
    .map(text => (text.startsWith('${') ? { text, className: 'tok-expression' } : { ...segment, text }))
}

function toLines(segments: readonly Segment[]): Segment[][] {
  const lines: Segment[][] = [[]]
  for (const segment of segments) {
    segment.text.split('\n').forEach((text, i) => {
      if (i > 0) lines.push([])
      if (text !== '') lines.at(-1)!.push({ ...segment, text })
    })
  }
  return lines
}

// The common part of Markdown (CommonMark 0.31: headings, paragraphs, lists, quotes, code, rules, emphasis, links) and tables
// of GitHub's. Parsed into data and rendered as elements: nothing of the text becomes markup.

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'strong' | 'em'; children: Inline[] }
  | { kind: 'link'; href: string; children: Inline[] }

export type Block =
  | { kind: 'heading'; level: number; children: Inline[] }
  | { kind: 'paragraph'; children: Inline[] }
  | { kind: 'code'; text: string }
  | { kind: 'quote'; children: Block[] }
  | { kind: 'list'; ordered: boolean; items: Block[][] }
  | { kind: 'table'; head: Inline[][]; rows: Inline[][][] }
  | { kind: 'rule' }

const nestingMax = 8

export function parseMarkdown(text: string, depth = 0): Block[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length;) {
    const [block, next] = readBlock(lines, at, depth)
    if (block) blocks.push(block)
    at = next
  }
  return blocks
}

const listItem = /^(\s{0,3})([-*+]|\d{1,9}[.)])\s+(.*)$/
const tableRule = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/

function readBlock(lines: readonly string[], at: number, depth: number): [Block | null, number] {
  const line = lines[at]!
  if (line.trim() === '') return [null, at + 1]
  const fence = /^\s{0,3}(```+|~~~+)/.exec(line)
  if (fence) return readFence(lines, at, fence[1]!)
  const heading = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line)
  if (heading) return [{ kind: 'heading', level: heading[1]!.length, children: parseInline(heading[2]!) }, at + 1]
  if (/^\s{0,3}([-*_])\s*(\1\s*){2,}$/.test(line)) return [{ kind: 'rule' }, at + 1]
  if (depth < nestingMax && line.startsWith('>')) {
    const end = endOf(lines, at, l => l.startsWith('>'))
    const inner = lines.slice(at, end).map(l => l.replace(/^> ?/, ''))
    return [{ kind: 'quote', children: parseMarkdown(inner.join('\n'), depth + 1) }, end]
  }
  if (depth < nestingMax && listItem.test(line)) return readList(lines, at, depth)
  if (line.includes('|') && tableRule.test(lines[at + 1] ?? '')) return readTable(lines, at)
  const end = endOf(lines, at + 1, l => l.trim() !== '' && !startsBlock(l))
  return [{ kind: 'paragraph', children: parseInline(lines.slice(at, end).join('\n')) }, end]
}

const startsBlock = (line: string) => /^\s{0,3}(#{1,6}\s|```|~~~|>)/.test(line) || listItem.test(line)

function endOf(lines: readonly string[], from: number, holds: (line: string) => boolean): number {
  let end = from
  while (end < lines.length && holds(lines[end]!)) end++
  return end
}

function readFence(lines: readonly string[], at: number, fence: string): [Block, number] {
  const end = endOf(lines, at + 1, l => !l.trim().startsWith(fence))
  return [{ kind: 'code', text: lines.slice(at + 1, end).join('\n') }, end + 1]
}

function readList(lines: readonly string[], at: number, depth: number): [Block, number] {
  const ordered = /\d/.test(listItem.exec(lines[at]!)![2]!)
  const items: string[][] = []
  let end = at
  for (; end < lines.length; end++) {
    const line = lines[end]!
    const item = listItem.exec(line)
    if (item && item[1]!.length < 2 && /\d/.test(item[2]!) === ordered) items.push([item[3]!])
    else if (/^\s{2,}\S/.test(line)) items.at(-1)!.push(line.replace(/^\s{2,4}/, ''))
    else if (line.trim() !== '' || !/^\s{2,}\S/.test(lines[end + 1] ?? '')) break
    else items.at(-1)!.push('')
  }
  return [{ kind: 'list', ordered, items: items.map(i => parseMarkdown(i.join('\n'), depth + 1)) }, end]
}

function readTable(lines: readonly string[], at: number): [Block, number] {
  const cells = (line: string) =>
    line
      .trim()
      .replace(/^\||\|$/g, '')
      .split('|')
      .map(c => parseInline(c.trim()))
  const end = endOf(lines, at + 2, l => l.includes('|'))
  return [{ kind: 'table', head: cells(lines[at]!), rows: lines.slice(at + 2, end).map(cells) }, end]
}

const inlinePattern = /`([^`]+)`|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)/

/** Characters of one paragraph beyond which its marks stay as they are: looking for their ends is quadratic. */
const inlineMax = 20_000

export function parseInline(text: string): Inline[] {
  if (text.length > inlineMax) return [{ kind: 'text', text }]
  const parts: Inline[] = []
  let rest = text
  for (let match = inlinePattern.exec(rest); match; match = inlinePattern.exec(rest)) {
    if (match.index > 0) parts.push({ kind: 'text', text: rest.slice(0, match.index) })
    const [all, code, strong, strong2, em, label, href] = match
    if (code !== undefined) parts.push({ kind: 'code', text: code })
    else if (label !== undefined) parts.push(linkOf(label, href!))
    else if (em !== undefined) parts.push({ kind: 'em', children: parseInline(em) })
    else parts.push({ kind: 'strong', children: parseInline((strong ?? strong2)!) })
    rest = rest.slice(match.index + all.length)
  }
  if (rest !== '') parts.push({ kind: 'text', text: rest })
  return parts
}

/** Only addresses that lead somewhere become links; a script stays text. */
function linkOf(label: string, href: string): Inline {
  if (!/^(https?:|mailto:|#|\/)/i.test(href)) return { kind: 'text', text: `[${label}](${href})` }
  return { kind: 'link', href, children: [{ kind: 'text', text: label }] }
}

import { Fragment, useMemo, type ReactNode } from 'react'
import { parseMarkdown, type Block, type Inline } from './markdown-model'

/** Markdown as elements. */
export function Markdown({ text, className = '' }: { text: string; className?: string }) {
  const blocks = useMemo(() => parseMarkdown(text), [text])
  return <div className={`flex flex-col gap-3 text-base ${className}`}>{blocks.map(renderBlock)}</div>
}

const headings = ['text-xl font-semibold', 'text-lg font-semibold', 'font-semibold', 'font-semibold text-soft'] as const

function renderBlock(block: Block, key: number): ReactNode {
  switch (block.kind) {
    case 'heading': {
      // The page has its own first and second levels.
      const Tag = `h${Math.min(6, block.level + 2)}` as 'h3'
      return (
        <Tag key={key} className={headings[Math.min(block.level, 4) - 1]}>
          {block.children.map(renderInline)}
        </Tag>
      )
    }
    case 'code':
      return (
        <pre key={key} className="overflow-x-auto rounded-sm border border-line bg-sunken p-3 font-mono text-xs">
          {block.text}
        </pre>
      )
    case 'quote':
      return (
        <blockquote key={key} className="flex flex-col gap-2 border-l-3 border-line pl-3 text-soft">
          {block.children.map(renderBlock)}
        </blockquote>
      )
    case 'list': {
      const Tag = block.ordered ? 'ol' : 'ul'
      return (
        <Tag key={key} className={`flex flex-col gap-1 pl-5 ${block.ordered ? 'list-decimal' : 'list-disc'}`}>
          {block.items.map((item, i) => (
            <li key={i}>{item.map(renderBlock)}</li>
          ))}
        </Tag>
      )
    }
    case 'table':
      return <Table key={key} block={block} />
    case 'rule':
      return <hr key={key} className="border-line" />
    default:
      return (
        <p key={key} className="max-w-prose">
          {block.children.map(renderInline)}
        </p>
      )
  }
}

function Table({ block }: { block: Extract<Block, { kind: 'table' }> }) {
  return (
    <div className="overflow-x-auto">
      <table className="border-collapse text-sm">
        <thead>
          <tr>
            {block.head.map((cell, i) => (
              <th key={i} className="border border-line bg-sunken px-2 py-1 text-left">
                {cell.map(renderInline)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {block.rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, j) => (
                <td key={j} className="border border-line px-2 py-1 align-top">
                  {cell.map(renderInline)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function renderInline(part: Inline, key: number): ReactNode {
  switch (part.kind) {
    case 'code':
      return (
        <code key={key} className="rounded-sm bg-sunken px-1 font-mono text-[0.9em]">
          {part.text}
        </code>
      )
    case 'strong':
      return <strong key={key}>{part.children.map(renderInline)}</strong>
    case 'em':
      return <em key={key}>{part.children.map(renderInline)}</em>
    case 'link':
      return (
        <a key={key} href={part.href} rel="noreferrer" className="text-accent underline">
          {part.children.map(renderInline)}
        </a>
      )
    default:
      return <Fragment key={key}>{part.text}</Fragment>
  }
}

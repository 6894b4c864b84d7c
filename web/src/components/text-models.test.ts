import { describe, expect, test } from 'vitest'
import { formatBytes, previewOf } from './json/json-model'
import { parseInline, parseMarkdown } from './markdown/markdown-model'

describe('Markdown', () => {
  test('becomes blocks', () => {
    const text =
      '# Title\n\nSome *text*\nmore\n\n- one\n- two\n  - inner\n\n```js\nx\n```\n\n> said\n\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |'
    expect(parseMarkdown(text).map(b => b.kind)).toEqual([
      'heading',
      'paragraph',
      'list',
      'code',
      'quote',
      'rule',
      'table',
    ])
  })

  test('nests lists', () => {
    const [list] = parseMarkdown('- one\n- two\n  - inner')
    expect(list).toMatchObject({
      kind: 'list',
      ordered: false,
      items: [[{}], [{ kind: 'paragraph' }, { kind: 'list' }]],
    })
  })

  test('makes links of addresses and text of scripts', () => {
    expect(parseInline('[a](https://x.example) [b](javascript:alert(1))').map(p => p.kind)).toEqual([
      'link',
      'text',
      'text',
      'text',
    ])
  })

  test('reads hostile nesting in bounded time', () => {
    expect(parseMarkdown('>'.repeat(5_000)).length).toBe(1)
    expect(parseMarkdown('*'.repeat(5_000) + 'a').length).toBeGreaterThan(0)
    expect(parseInline('**a '.repeat(100_000))).toHaveLength(1)
  })
})

describe('A closed JSON branch', () => {
  test('tells what is in it', () => {
    expect(previewOf({ a: 1, b: 2, c: 3, d: 4, e: 5 })).toBe('{ a, b, c, d, … 1 more }')
    expect(previewOf([1])).toBe('[ 1 item ]')
  })
})

test('Sizes are read in decimal units', () => {
  expect([999, 1000, 4096, 12_345_678].map(formatBytes)).toEqual(['999 B', '1.0 kB', '4.1 kB', '12 MB'])
})

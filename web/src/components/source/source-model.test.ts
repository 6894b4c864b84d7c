import { describe, expect, test } from 'vitest'
import type { GraphNode } from '~/lib/api'
import { blockAt, countMarkers, expressionsIn, markersOf, nodeAtPointer } from './source-model'

const source = `document:
  dsl: 1.0.3
do:
  - greet:
      set:
        text: \${ "Hello {" + .name } and \${ .more }

        n: 1
  - pause:
      wait: { seconds: 1 }
`

describe('Markers', () => {
  test('stand in document order with what was expected as a hint', () => {
    const markers = markersOf([
      { severity: 'warning', code: 'b', message: 'later', line: 9, column: 1, pointer: '' },
      {
        severity: 'error',
        code: 'a',
        message: 'cal?',
        line: 7,
        column: 5,
        pointer: '/do/0',
        expected: 'one of call, do',
      },
    ])
    expect(markers.map(m => m.line)).toEqual([7, 9])
    expect(markers[0]!.hint).toBe('Expected one of call, do.')
  })

  test('do not repeat what the message says already', () => {
    const text = 'Expected a name, found 1.'
    const at = { severity: 'error', code: 'a', line: 1, column: 1, pointer: '' } as const
    expect(markersOf([{ ...at, message: text, expected: 'a name' }])[0]!.hint).toBeUndefined()
  })

  test('are counted by severity', () => {
    const marker = (severity: 'error' | 'warning') => ({ line: 1, severity, message: '' })
    expect(countMarkers([marker('error'), marker('warning'), marker('warning')])).toBe('1 error, 2 warnings')
    expect(countMarkers([])).toBeNull()
  })
})

describe('The task at a pointer', () => {
  const node = (id: number, reference: string) => ({ id, reference }) as GraphNode
  const nodes = [node(0, '/do/0/a'), node(1, '/do/0/a/do/0/b'), node(2, '/do/0/ab')]

  test('is the innermost one that contains it', () => {
    expect(nodeAtPointer(nodes, '/do/0/a/do/0/b/set/x')?.id).toBe(1)
    expect(nodeAtPointer(nodes, '/do/0/a')?.id).toBe(0)
  })

  test('does not confuse names that begin alike', () => {
    expect(nodeAtPointer(nodes, '/do/0/ab/set')?.id).toBe(2)
    expect(nodeAtPointer(nodes, '/do/9')).toBeUndefined()
    expect(nodeAtPointer(nodes, null)).toBeUndefined()
  })
})

describe('The block of a task', () => {
  test('reaches to the next line that stands as far out', () => {
    expect(blockAt(source, 4)).toEqual({ from: 4, to: 8 })
    expect(blockAt(source, 9)).toEqual({ from: 9, to: 10 })
  })

  test('gives the expressions in it, with braces in strings understood', () => {
    expect(expressionsIn(source, 4, 8)).toEqual([
      { line: 6, text: '${ "Hello {" + .name }' },
      { line: 6, text: '${ .more }' },
    ])
  })

  test('gives expressions that the language takes without braces, and no names', () => {
    const text = [
      '- each:',
      '    if: .ready',
      "    for: { each: x, in: '${ .items }' }",
      '    catch:',
      '      as: error',
      "      when: '.status > 500'",
      '    output:',
      '      as: |',
      '        { a: .b,',
      '          c: 1 }',
    ].join('\n')
    expect(expressionsIn(text, 1, 10)).toEqual([
      { line: 2, text: '.ready' },
      { line: 3, text: '${ .items }' },
      { line: 6, text: '.status > 500' },
      { line: 9, text: '{ a: .b, …' },
    ])
  })
})

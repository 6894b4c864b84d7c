// @vitest-environment jsdom
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test } from 'vitest'
import { JsonView } from './json/json-view'
import { highlightLines } from './source/highlight'
import { ProblemList } from './source/problem-list'
import { SourceView } from './source/source-view'

describe('A document on the page', () => {
  const source = 'do:\n  - greet:\n      sett: 1\n'

  test('shows each problem right below its line', () => {
    render(
      <SourceView
        source={source}
        label="Source"
        markers={[{ line: 3, severity: 'error', message: 'Unknown.', hint: 'Expected set.' }]}
      />,
    )
    const note = screen.getByRole('note', { name: 'error at line 3' })
    expect(note).toHaveTextContent('Unknown. Expected set.')
    expect(note.closest('[data-line]')).toHaveAttribute('data-line', '3')
  })

  test('shows a range only, with its own line numbers', () => {
    render(<SourceView source={source} label="Source" range={{ from: 2, to: 3 }} />)
    expect(screen.getAllByRole('listitem').map(l => l.getAttribute('data-line'))).toEqual(['2', '3'])
  })

  test('keeps every character when it is coloured', () => {
    const text = 'a: "x ${ .y } z" # note\nb: [1, true]'
    const lines = highlightLines(text)
    expect(lines.map(l => l.map(s => s.text).join('')).join('\n')).toBe(text)
    expect(lines[0]!.find(s => s.className === 'tok-expression')!.text).toBe('${ .y }')
  })

  test('leads from a problem to its line', async () => {
    const marker = { line: 7, column: 5, severity: 'warning' as const, message: 'Careful.' }
    let jumped: unknown
    render(<ProblemList markers={[marker]} onJump={m => (jumped = m)} />)
    await userEvent.click(screen.getByRole('button', { name: /Careful.*7:5/ }))
    expect(jumped).toBe(marker)
  })
})

describe('A JSON value on the page', () => {
  test('opens and closes its branches', async () => {
    render(<JsonView value={{ a: { b: { c: 1 } } }} label="value" />)
    expect(screen.queryByText('1')).toBeNull()
    await userEvent.click(screen.getByRole('button', { name: /^b/ }))
    expect(screen.getByText('1')).toBeInTheDocument()
    await userEvent.click(screen.getByRole('button', { name: /^a/ }))
    expect(screen.queryByText('1')).toBeNull()
  })

  test('cuts long texts and long lists until asked', async () => {
    render(
      <JsonView value={{ text: 'x'.repeat(2_100), list: Array.from({ length: 60 }, (_, i) => i) }} label="value" />,
    )
    expect(screen.getByText(/100 more characters/)).toBeInTheDocument()
    expect(screen.queryByText('59')).toBeNull()
    await userEvent.click(screen.getByRole('button', { name: '10 more' }))
    expect(screen.getAllByText('59').length).toBeGreaterThan(0)
  })
})

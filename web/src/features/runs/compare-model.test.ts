import { expect, test } from 'vitest'
import type { DiffRow } from './comparison'
import { changeText, shownRows } from './compare-model'

const row = (change: DiffRow['change'], differs: string[] = []): DiffRow => ({ path: '/a', change, differs })

test('a change is told in words', () => {
  expect(changeText(row('same'))).toBe('the same')
  expect(changeText(row('changed', ['input', 'output']))).toBe('other input, output')
  expect(changeText(row('onlyLeft'))).toBe('only in the left run')
})

test('rows keep their place when the same ones are left out', () => {
  const rows = [row('same'), row('changed', ['state']), row('same')]
  expect(shownRows(rows, false).map(r => r.index)).toEqual([1])
  expect(shownRows(rows, true)).toHaveLength(3)
})

import type { DiffRow } from './comparison'

/** What is different about a step, in words. */
export function changeText(row: DiffRow): string {
  if (row.change === 'same') return 'the same'
  if (row.change === 'onlyLeft') return 'only in the left run'
  if (row.change === 'onlyRight') return 'only in the right run'
  return `other ${row.differs.join(', ')}`
}

/** The rows to show, each with its place among all of them. */
export function shownRows(rows: readonly DiffRow[], all: boolean): { row: DiffRow; index: number }[] {
  return rows.map((row, index) => ({ row, index })).filter(({ row }) => all || row.change !== 'same')
}

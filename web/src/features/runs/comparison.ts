import type { Maybe, Page, Run, Step } from '~/lib/api'

export type StepChange = 'same' | 'changed' | 'onlyLeft' | 'onlyRight'

export interface DiffRow {
  path: string
  change: StepChange
  /** Of task, state, input, output, error. */
  differs: string[]
  left?: Maybe<Step>
  right?: Maybe<Step>
  leftMs?: Maybe<number>
  rightMs?: Maybe<number>
}

export interface RunComparison extends Page<DiffRow> {
  left: Run
  right: Run
  rows: number
  same: number
  changed: number
  onlyLeft: number
  onlyRight: number
  /** Index of the first row that is not the same. */
  first?: Maybe<number>
}

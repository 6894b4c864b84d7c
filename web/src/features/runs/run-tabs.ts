export const runTabs = [
  'graph',
  'timeline',
  'data',
  'live',
  'artifacts',
  'children',
  'past',
  'journal',
  'source',
] as const
export type RunTab = (typeof runTabs)[number]

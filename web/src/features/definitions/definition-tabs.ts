export const definitionTabs = ['graph', 'source', 'input', 'versions'] as const
export type DefinitionTab = (typeof definitionTabs)[number]

import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { DefinitionSummary, DefinitionVersion, Page, Validation } from '~/lib/api'
import { request } from '~/lib/http'

export function definitionsQuery(q: string) {
  return infiniteQueryOptions({
    queryKey: ['definitions', q],
    queryFn: ({ pageParam, signal }) =>
      request<Page<DefinitionSummary>>('/api/v1/definitions', { signal, query: { q, cursor: pageParam, limit: 50 } }),
    initialPageParam: null as string | null,
    getNextPageParam: last => last.next ?? null,
  })
}

const mediaType = (text: string) => (text.trimStart().startsWith('{') ? 'application/json' : 'application/yaml')

/** What the server finds in a text; asked for as it is typed, so answers are kept by text. */
export function validationQuery(text: string) {
  return queryOptions({
    queryKey: ['validation', text],
    queryFn: ({ signal }) =>
      request<Validation>('/api/v1/definitions/validation', { signal, text: { type: mediaType(text), body: text } }),
    enabled: text.trim() !== '',
    staleTime: Infinity,
    gcTime: 60_000,
  })
}

export function pushDefinition(text: string): Promise<DefinitionVersion> {
  return request('/api/v1/definitions', { text: { type: mediaType(text), body: text } })
}

import { queryOptions } from '@tanstack/react-query'
import type { DefinitionRef, DefinitionSummary, DefinitionVersion, Graph, Page, SystemInfo } from './api'
import { url, request, requestText } from './http'

// What more than one feature asks for. A version never changes once pushed, so its parts are kept for the session.

const pinned = (version: string) => (version === 'latest' ? 5_000 : Infinity)

export const systemQuery = queryOptions({
  queryKey: ['system'],
  queryFn: ({ signal }) => request<SystemInfo>('/api/v1/system', { signal }),
  refetchInterval: 30_000,
})

/** Names to choose from; those of the first 200 definitions. */
export const definitionNamesQuery = queryOptions({
  queryKey: ['definitions', 'names'],
  queryFn: async ({ signal }) => {
    const { items } = await request<Page<DefinitionSummary>>('/api/v1/definitions', { signal, query: { limit: 200 } })
    return items.map(d => `${d.namespace}/${d.name}`)
  },
  staleTime: 60_000,
})

export function definitionQuery({ namespace, name, version }: DefinitionRef) {
  return queryOptions({
    queryKey: ['definition', namespace, name, version],
    queryFn: ({ signal }) =>
      request<DefinitionVersion>(url`/api/v1/definitions/${namespace}/${name}/versions/${version}`, { signal }),
    staleTime: pinned(version),
  })
}

export function versionsQuery(namespace: string, name: string) {
  return queryOptions({
    queryKey: ['versions', namespace, name],
    queryFn: ({ signal }) =>
      request<Page<DefinitionSummary>>(url`/api/v1/definitions/${namespace}/${name}/versions`, {
        signal,
        query: { limit: 100 },
      }),
  })
}

export function sourceQuery({ namespace, name, version }: DefinitionRef) {
  return queryOptions({
    queryKey: ['source', namespace, name, version],
    queryFn: ({ signal }) =>
      requestText(url`/api/v1/definitions/${namespace}/${name}/versions/${version}/source`, { signal }),
    staleTime: pinned(version),
  })
}

export function graphQuery({ namespace, name, version }: DefinitionRef) {
  return queryOptions({
    queryKey: ['graph', namespace, name, version],
    queryFn: ({ signal }) =>
      request<Graph>(url`/api/v1/definitions/${namespace}/${name}/versions/${version}/graph`, { signal }),
    staleTime: pinned(version),
  })
}

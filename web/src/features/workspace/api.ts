import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Page } from '~/lib/api'
import { request, send } from '~/lib/http'
import { every } from '~/lib/refresh'
import type {
  DeadLetter,
  DeadLetterFilter,
  Dealt,
  Retention,
  RunLimit,
  StoredResource,
  WorkspaceLimit,
} from './workspace'

// Nothing tells the page of these, so it asks again while somebody looks.
const pace = every(5_000)

export const limitsQuery = queryOptions({
  queryKey: ['limits', 'lines'],
  queryFn: ({ signal }) => request<Page<RunLimit>>('/api/v1/limits', { signal, query: { limit: 200 } }),
  refetchInterval: pace,
})

/** @param limit Null takes back what was set: then what the documents say holds. */
export function setLimit(name: string, limit: number | null): Promise<{ limit: number | null }> {
  // A definition's limit is named namespace/name; a shared name has no such parts.
  const path = name.split('/').map(encodeURIComponent).join('/')
  return request(`/api/v1/limits/${path}`, { method: 'PUT', json: { limit } })
}

export const workspaceLimitQuery = queryOptions({
  queryKey: ['limits', 'workspace'],
  queryFn: ({ signal }) => request<WorkspaceLimit>('/api/v1/limits/workspace', { signal }),
})

export function setWorkspaceLimit(limit: WorkspaceLimit): Promise<WorkspaceLimit> {
  return request('/api/v1/limits/workspace', { method: 'PUT', json: limit })
}

export const retentionQuery = queryOptions({
  queryKey: ['retention'],
  queryFn: ({ signal }) => request<Retention>('/api/v1/retention', { signal }),
})

export function setRetention(retention: Retention): Promise<Retention> {
  return request('/api/v1/retention', { method: 'PUT', json: retention })
}

export const resourcesQuery = infiniteQueryOptions({
  queryKey: ['resources'],
  queryFn: ({ pageParam, signal }) =>
    request<Page<StoredResource>>('/api/v1/resources', { signal, query: { cursor: pageParam, limit: 50 } }),
  initialPageParam: null as string | null,
  getNextPageParam: last => last.next ?? null,
})

export async function removeResource(name: string): Promise<void> {
  // A name holds nothing that an address would have to escape.
  await send(`/api/v1/resources/${name}`, { method: 'DELETE' })
}

export function deadLettersQuery(filter: DeadLetterFilter = {}) {
  const { kind, reason, definition } = filter
  return queryOptions({
    queryKey: ['dead-letters', filter],
    queryFn: ({ signal }) =>
      request<Page<DeadLetter>>('/api/v1/dead-letters', { signal, query: { kind, reason, definition, limit: 50 } }),
    refetchInterval: pace,
  })
}

/** Those that are named, or all that fit: they are dealt with some at a time, until none is left that can be. */
export async function dealWithDeadLetters(
  what: 'requeue' | 'discard',
  which: { ids: string[] } | DeadLetterFilter,
): Promise<Dealt> {
  const all: Dealt = { done: 0, refused: [] }
  let after: string | null | undefined
  do {
    const json = after ? { ...which, after } : which
    const dealt = await request<Dealt>(`/api/v1/dead-letters/${what}`, { method: 'POST', json })
    all.done += dealt.done
    all.refused.push(...dealt.refused)
    after = dealt.next
  } while (after)
  return all
}

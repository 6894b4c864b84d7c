import { queryOptions } from '@tanstack/react-query'
import type { Page } from '~/lib/api'
import { request } from '~/lib/http'
import { every } from '~/lib/refresh'
import type { DeadLetter, Dealt, Retention, RunLimit, WorkspaceLimit } from './workspace'

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

export const deadLettersQuery = queryOptions({
  queryKey: ['dead-letters'],
  queryFn: ({ signal }) => request<Page<DeadLetter>>('/api/v1/dead-letters', { signal, query: { limit: 50 } }),
  refetchInterval: pace,
})

export function dealWithDeadLetters(what: 'requeue' | 'discard', ids: string[]): Promise<Dealt> {
  return request(`/api/v1/dead-letters/${what}`, { method: 'POST', json: { ids } })
}

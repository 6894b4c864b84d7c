import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Json, Page } from '~/lib/api'
import { request, url } from '~/lib/http'
import { every } from '~/lib/refresh'
import type { Approval, ApprovalState } from './approval'

// Others decide too, so the page asks again while somebody looks.
const pace = every(5_000)

export function approvalsQuery(state: ApprovalState | undefined) {
  return infiniteQueryOptions({
    queryKey: ['approvals', 'list', state ?? 'all'],
    queryFn: ({ pageParam, signal }) =>
      request<Page<Approval>>('/api/v1/approvals', { signal, query: { state, cursor: pageParam, limit: 50 } }),
    initialPageParam: null as string | null,
    getNextPageParam: last => last.next ?? null,
    refetchInterval: pace,
  })
}

/** Where a question is read and decided: by its id, or by a link that somebody was given. */
export type Way = { id: string } | { token: string }

const pathOf = (way: Way) => ('id' in way ? url`/api/v1/approvals/${way.id}` : url`/api/v1/approvals/link/${way.token}`)

export function approvalQuery(way: Way) {
  return queryOptions({
    queryKey: ['approvals', 'one', 'id' in way ? way.id : way.token],
    queryFn: ({ signal }) => request<Approval>(pathOf(way), { signal }),
    refetchInterval: pace,
  })
}

export interface Decision {
  by?: string
  decision: 'approve' | 'reject'
  comment?: string
  form?: Json
  hash: string
}

export function decide(way: Way, decision: Decision): Promise<Approval> {
  return request('id' in way ? `${pathOf(way)}/decisions` : pathOf(way), { method: 'POST', json: decision })
}

export interface Delegation {
  by: string
  to: string
  comment?: string
}

export function delegate(id: string, delegation: Delegation): Promise<Approval> {
  return request(url`/api/v1/approvals/${id}/delegation`, { method: 'POST', json: delegation })
}

/** Makes a link in somebody's name; its token is told this once. */
export function makeLink(id: string, person: string): Promise<{ page: string; for: string }> {
  return request(url`/api/v1/approvals/${id}/links`, { method: 'POST', json: { for: person } })
}

import { infiniteQueryOptions } from '@tanstack/react-query'
import type { Page } from '~/lib/api'
import { request, url } from '~/lib/http'
import { every } from '~/lib/refresh'
import type { BulkRequest, BulkWork } from './bulk'

export const bulkQuery = infiniteQueryOptions({
  queryKey: ['bulk'],
  queryFn: ({ pageParam, signal }) =>
    request<Page<BulkWork>>('/api/v1/runs/bulk', { signal, query: { cursor: pageParam, limit: 50 } }),
  initialPageParam: null as string | null,
  getNextPageParam: last => last.next ?? null,
  // Nothing tells the page how far works have come, so it asks again: soon while one is under way.
  refetchInterval: query =>
    every(query.state.data?.pages.some(p => p.items.some(w => w.state === 'running')) ? 1_000 : 10_000)(query),
})

/** The same key says that it is the same wish, however often it is sent. */
export function startBulk(wish: BulkRequest, key: string): Promise<BulkWork> {
  return request('/api/v1/runs/bulk', { method: 'POST', json: wish, headers: { 'idempotency-key': key } })
}

export function stopBulk(id: string): Promise<BulkWork> {
  return request(url`/api/v1/runs/bulk/${id}/cancellation`, { method: 'POST', json: {} })
}

import { infiniteQueryOptions } from '@tanstack/react-query'
import type { Page } from '~/lib/api'
import { request, send, url } from '~/lib/http'
import { every } from '~/lib/refresh'
import type { Sink, SinkBody, SinkTest } from './sink'

export const sinksQuery = infiniteQueryOptions({
  queryKey: ['sinks'],
  queryFn: ({ pageParam, signal }) =>
    request<Page<Sink>>('/api/v1/sinks', { signal, query: { cursor: pageParam, limit: 50 } }),
  initialPageParam: null as string | null,
  getNextPageParam: last => last.next ?? null,
  // Nothing tells the page how far deliveries have come, so it asks again while somebody looks.
  refetchInterval: every(3_000),
})

export function addSink(body: SinkBody): Promise<Sink> {
  // An absent secret is none; an empty one says that a change takes it away.
  const { secret, ...rest } = body
  return request('/api/v1/sinks', { method: 'POST', json: secret ? body : rest })
}

export function changeSink(id: string, change: Partial<SinkBody> | { paused: boolean }): Promise<Sink> {
  return request(url`/api/v1/sinks/${id}`, { method: 'PATCH', json: change })
}

export function testSink(id: string): Promise<SinkTest> {
  return request(url`/api/v1/sinks/${id}/test`, { method: 'POST', json: {} })
}

export async function removeSink(id: string): Promise<void> {
  await send(url`/api/v1/sinks/${id}`, { method: 'DELETE' })
}

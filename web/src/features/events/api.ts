import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Page } from '~/lib/api'
import { request, url } from '~/lib/http'
import { every } from '~/lib/refresh'
import type { EventFilter, EventRun, WorkspaceEvent } from './event'

// Nothing tells the page of events, so it asks again while somebody looks.
const pace = every(3_000)

export function eventsQuery({ type, source }: EventFilter) {
  return infiniteQueryOptions({
    queryKey: ['events', 'list', type ?? '', source ?? ''],
    queryFn: ({ pageParam, signal }) =>
      request<Page<WorkspaceEvent>>('/api/v1/events', {
        signal,
        query: { type, source, cursor: pageParam, limit: 50 },
      }),
    initialPageParam: null as string | null,
    getNextPageParam: last => last.next ?? null,
    refetchInterval: pace,
  })
}

export function eventQuery(position: number) {
  return queryOptions({
    queryKey: ['events', 'one', position],
    queryFn: ({ signal }) => request<WorkspaceEvent>(url`/api/v1/events/${position}`, { signal }),
    staleTime: Infinity,
  })
}

export function eventRunsQuery(position: number) {
  return infiniteQueryOptions({
    queryKey: ['events', 'runs', position],
    queryFn: ({ pageParam, signal }) =>
      request<Page<EventRun>>(url`/api/v1/events/${position}/runs`, {
        signal,
        query: { cursor: pageParam, limit: 50 },
      }),
    initialPageParam: null as string | null,
    getNextPageParam: last => last.next ?? null,
    refetchInterval: pace,
  })
}

import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Page, Run } from '~/lib/api'
import type { Backfilled, Schedule, ScheduleDetail, Trigger } from './schedule'
import { request, url } from '~/lib/http'
import { every } from '~/lib/refresh'

// Nothing tells the page that a schedule has fired, so it asks again while somebody looks.
const pace = every(5_000)

export const schedulesQuery = infiniteQueryOptions({
  queryKey: ['schedules'],
  queryFn: ({ pageParam, signal }) =>
    request<Page<Schedule>>('/api/v1/schedules', { signal, query: { cursor: pageParam, limit: 50 } }),
  initialPageParam: null as string | null,
  getNextPageParam: last => last.next ?? null,
  refetchInterval: pace,
})

export const triggersQuery = infiniteQueryOptions({
  queryKey: ['triggers'],
  queryFn: ({ pageParam, signal }) =>
    request<Page<Trigger>>('/api/v1/triggers', { signal, query: { cursor: pageParam, limit: 50 } }),
  initialPageParam: null as string | null,
  getNextPageParam: last => last.next ?? null,
  refetchInterval: pace,
})

export function pauseTrigger({ namespace, name }: Trigger, paused: boolean): Promise<Trigger> {
  return request(url`/api/v1/triggers/${namespace}/${name}`, { method: 'PATCH', json: { paused } })
}

export function scheduleQuery(namespace: string, name: string) {
  return queryOptions({
    queryKey: ['schedules', namespace, name],
    queryFn: ({ signal }) => request<ScheduleDetail>(url`/api/v1/schedules/${namespace}/${name}`, { signal }),
    refetchInterval: pace,
  })
}

export function pauseSchedule({ namespace, name }: Schedule, paused: boolean): Promise<Schedule> {
  return request(url`/api/v1/schedules/${namespace}/${name}`, { method: 'PATCH', json: { paused } })
}

export function triggerSchedule({ namespace, name }: Schedule): Promise<Run> {
  return request(url`/api/v1/schedules/${namespace}/${name}/runs`, { method: 'POST', json: {} })
}

/** Starts a run for each tick of a time that has started none; both ends are included. */
export function backfillSchedule({ namespace, name }: Schedule, from: string, to: string): Promise<Backfilled> {
  return request(url`/api/v1/schedules/${namespace}/${name}/backfill`, { method: 'POST', json: { from, to } })
}

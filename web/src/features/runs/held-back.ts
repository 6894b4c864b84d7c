import { queryOptions } from '@tanstack/react-query'
import type { Maybe, Page, WorkflowError } from '~/lib/api'
import { request } from '~/lib/http'

// Nothing tells the page of these, so it asks again while somebody looks.
const pace = 5_000

export interface RunLimit {
  name: string
  key: string
  kind: 'slot' | 'rate' | 'quiet'
  limit: number
  held: number
  queued: number
  oldestSince?: Maybe<string>
}

export interface DeadLetter {
  id: string
  kind: 'run' | 'event' | 'schedule'
  subject: string
  definition: string
  reason: string
  error?: Maybe<WorkflowError>
  times: number
}

export const limitsQuery = queryOptions({
  queryKey: ['limits'],
  queryFn: ({ signal }) => request<Page<RunLimit>>('/api/v1/limits', { signal, query: { limit: 200 } }),
  refetchInterval: pace,
})

export const deadLettersQuery = queryOptions({
  queryKey: ['dead-letters'],
  queryFn: ({ signal }) => request<Page<DeadLetter>>('/api/v1/dead-letters', { signal, query: { limit: 50 } }),
  refetchInterval: pace,
})

export function dealWithDeadLetters(what: 'requeue' | 'discard', ids: string[]) {
  return request<{ done: number; refused: { id: string; detail: string }[] }>(`/api/v1/dead-letters/${what}`, {
    method: 'POST',
    json: { ids },
  })
}

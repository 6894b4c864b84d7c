import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Artifact, DefinitionRef, JournalRecord, Json, Page, Run, RunMoment, Step, Waiting } from '~/lib/api'
import { request, requestText, url } from '~/lib/http'
import type { ChunkResult } from './chunk-result'
import { viewOf, type RunView } from './run-fold-model'
import { topOnly, type RunFilter } from './run-list-model'
import type { RunComparison } from './comparison'

export function runsQuery(filter: RunFilter) {
  return infiniteQueryOptions({
    queryKey: ['runs', filter],
    queryFn: ({ pageParam, signal }) =>
      request<Page<Run>>('/api/v1/runs', {
        signal,
        query: {
          state: filter.state,
          definition: filter.definition,
          parent: filter.parent,
          forkOf: filter.forkOf,
          children: topOnly(filter) ? 'false' : undefined,
          cursor: pageParam,
          limit: 50,
        },
      }),
    initialPageParam: null as string | null,
    getNextPageParam: last => last.next ?? null,
  })
}

/** Steps that are read at a time: when a run is opened, and on request. */
export const stepsAtOnce = 2_000
const stepsPage = 200

/** The run first and its steps after it: what happens between is then told again by the stream, and nothing is missed. */
export function runViewQuery(id: string) {
  return queryOptions({
    queryKey: ['run', id],
    queryFn: async ({ signal }): Promise<RunView> => {
      const run = await request<Run>(url`/api/v1/runs/${id}`, { signal })
      const { steps, next } = await readSteps(id, null, stepsAtOnce, signal)
      return viewOf(run, steps, next)
    },
    staleTime: Infinity,
    gcTime: 0,
  })
}

/** Reads steps from a cursor on, until `max` are read or none are left. */
export async function readSteps(id: string, cursor: string | null, max: number, signal?: AbortSignal) {
  const steps: Step[] = []
  let next = cursor
  do {
    const page: Page<Step> = await request(url`/api/v1/runs/${id}/steps`, {
      ...(signal ? { signal } : {}),
      query: { cursor: next, limit: stepsPage },
    })
    steps.push(...page.items)
    next = page.next ?? null
  } while (next !== null && steps.length < max)
  return { steps, next }
}

/** One step with its input and output; read again whenever its state changes. */
export function stepQuery(id: string, step: Step) {
  return queryOptions({
    queryKey: ['step', id, step.id, step.state, step.attempt],
    queryFn: ({ signal }) => request<Step>(url`/api/v1/runs/${id}/steps/${step.id}`, { signal }),
    staleTime: Infinity,
  })
}

/** The members of a swarm, which lists of steps leave out; how far they are changes while the step does not. */
export function membersQuery(id: string, step: Step) {
  return queryOptions({
    queryKey: ['members', id, step.id, step.state],
    queryFn: ({ signal }) => request<Step>(url`/api/v1/runs/${id}/steps/${step.id}`, { signal }),
    select: (found: Step) => found.spawn?.members ?? [],
    refetchInterval: step.endedAt ? false : 2_000,
  })
}

/** What the children of a map gave that keeps it with them, some chunks at a time. */
export function resultsQuery(id: string, step: Step) {
  return infiniteQueryOptions({
    queryKey: ['results', id, step.id, step.state],
    queryFn: ({ pageParam, signal }) =>
      request<Page<ChunkResult>>(url`/api/v1/runs/${id}/steps/${step.id}/results`, {
        signal,
        query: { cursor: pageParam, limit: 5 },
      }),
    initialPageParam: null as string | null,
    getNextPageParam: last => last.next ?? null,
  })
}

export function changeConcurrency(id: string, step: number, concurrency: number): Promise<Step> {
  return request(url`/api/v1/runs/${id}/steps/${step}/concurrency`, { method: 'PUT', json: { concurrency } })
}

export function redriveStep(id: string, step: number): Promise<Run> {
  return request(url`/api/v1/runs/${id}/steps/${step}/redrive`, { json: {} })
}

export function waitingQuery(id: string) {
  return queryOptions({
    queryKey: ['waiting', id],
    queryFn: ({ signal }) => request<{ items: Waiting[] }>(url`/api/v1/runs/${id}/waiting`, { signal }),
    refetchInterval: 5_000,
  })
}

export function runInputQuery(id: string) {
  return queryOptions({
    queryKey: ['run-input', id],
    queryFn: ({ signal }) => request<Json>(url`/api/v1/runs/${id}/input`, { signal }),
    staleTime: Infinity,
  })
}

export function runOutputQuery(id: string) {
  return queryOptions({
    queryKey: ['run-output', id],
    queryFn: ({ signal }) => request<Json>(url`/api/v1/runs/${id}/output`, { signal }),
    staleTime: Infinity,
  })
}

export function artifactsQuery(id: string) {
  return queryOptions({
    queryKey: ['artifacts', id],
    queryFn: ({ signal }) => request<{ items: Artifact[] }>(url`/api/v1/runs/${id}/artifacts`, { signal }),
  })
}

export function artifactTextQuery(artifact: Artifact) {
  return queryOptions({
    queryKey: ['artifact', artifact.href, artifact.sha256],
    queryFn: ({ signal }) => requestText(artifact.href, { signal }),
    staleTime: Infinity,
  })
}

/** The run as it stood behind a record; a record never changes, so neither does this. */
export function momentQuery(id: string, seq: number) {
  return queryOptions({
    queryKey: ['moment', id, seq],
    queryFn: ({ signal }) => request<RunMoment>(url`/api/v1/runs/${id}/state`, { signal, query: { seq } }),
    staleTime: Infinity,
    placeholderData: previous => previous,
  })
}

export function comparisonQuery(id: string, other: string) {
  return infiniteQueryOptions({
    queryKey: ['diff', id, other],
    queryFn: ({ pageParam, signal }) =>
      request<RunComparison>(url`/api/v1/runs/${id}/diff/${other}`, {
        signal,
        query: { cursor: pageParam, limit: 200 },
      }),
    initialPageParam: null as string | null,
    getNextPageParam: last => last.next ?? null,
  })
}

/** Where a fork begins; nothing for a retry, which the server finds the place of. */
export type ForkPlace = { step: number } | { seq: number } | null

export interface ForkRequest {
  run: string
  place: ForkPlace
  input: Json | undefined
  context: Json | undefined
  version: string
  reason: string
  key: string
}

export function forkRun({ run, place, input, context, version, reason, key }: ForkRequest): Promise<Run> {
  return request(`${url`/api/v1/runs/${run}`}/${place ? 'forks' : 'retry'}`, {
    json: {
      ...place,
      ...(input === undefined ? {} : { input }),
      ...(context === undefined ? {} : { context }),
      ...(version ? { definition: { version } } : {}),
      ...(reason ? { reason } : {}),
    },
    headers: { 'idempotency-key': key },
  })
}

const journalPage = 100

export function journalQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: ['journal', id],
    queryFn: ({ pageParam, signal }) =>
      request<Page<JournalRecord>>(url`/api/v1/runs/${id}/journal`, {
        signal,
        query: { after: pageParam, limit: journalPage },
      }),
    initialPageParam: null as number | null,
    getNextPageParam: last => (last.items.length < journalPage ? null : last.items.at(-1)!.seq),
  })
}

export interface StartRequest {
  definition: DefinitionRef
  input: Json | undefined
  /** The same key with the same request starts one run, however often it is sent. */
  key: string
}

export function startRun({ definition, input, key }: StartRequest): Promise<Run> {
  const { namespace, name, version } = definition
  return request('/api/v1/runs', {
    json: { definition: { namespace, name, version }, ...(input === undefined ? {} : { input }) },
    headers: { 'idempotency-key': key },
  })
}

/** Sends a run an event that no other run hears; the same key sends one. */
export function sendSignal(run: string, key: string, name: string, data: Json | undefined): Promise<{ run: string }> {
  return request(url`/api/v1/runs/${run}/signals`, { json: { name, data }, headers: { 'idempotency-key': key } })
}

export type Control = 'cancellation' | 'suspension' | 'resumption'

/** What is said with a wish; `cleanUp: false` of a cancellation undoes nothing. */
export interface Wish {
  reason: string
  cleanUp: boolean
}

export function controlRun(id: string, control: Control, { reason, cleanUp }: Wish): Promise<Run> {
  return request(`${url`/api/v1/runs/${id}`}/${control}`, {
    json: { ...(reason ? { reason } : {}), ...(cleanUp ? {} : { cleanUp }) },
  })
}

import { useInfiniteQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Page, Run } from '~/lib/api'
import { refresh } from '~/lib/refresh'
import { useWorkspaceStream } from '~/lib/workspace-stream'
import { runsQuery } from './api'
import { foldRun, type RunFilter } from './run-list-model'

/** Changes that are kept to be applied again to a list that was on its way when they came. */
const recentMax = 500

/** A list of runs, kept up by the workspace's stream. */
export function useLiveRuns(filter: RunFilter) {
  const client = useQueryClient()
  const { onRun, onGap } = useWorkspaceStream()
  const [recent] = useState(() => new Map<string, Run>())
  const query = runsQuery(filter)
  const key = JSON.stringify(query.queryKey)
  const list = useInfiniteQuery(query)

  useEffect(() => {
    const fold = () => {
      const queryKey = JSON.parse(key) as readonly unknown[]
      const data = client.getQueryData<InfiniteData<Page<Run>, string | null>>(queryKey)
      if (!data) return
      const wanted = queryKey[1] as RunFilter
      const pages = [...recent.values()].reduce((all, run) => foldRun(all, wanted, run), data.pages)
      if (pages !== data.pages) client.setQueryData(queryKey, { ...data, pages })
    }
    fold()
    return onRun(run => {
      recent.delete(run.id)
      recent.set(run.id, run)
      if (recent.size > recentMax) recent.delete(recent.keys().next().value!)
      fold()
    })
    // A list that arrives may be older than what the stream said meanwhile.
  }, [client, key, recent, onRun, list.dataUpdatedAt])

  useEffect(() => onGap(() => void refresh(client, ['runs'])), [client, onGap])
  useSystemCounts()
  return list
}

/** The counts by state follow the stream too, a little later and at most about once a second. */
function useSystemCounts(): void {
  const client = useQueryClient()
  const { onRun } = useWorkspaceStream()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = onRun(() => {
      timer ??= setTimeout(() => {
        timer = undefined
        void refresh(client, ['system'])
      }, 800)
    })
    return () => {
      clearTimeout(timer)
      stop()
    }
  }, [client, onRun])
}

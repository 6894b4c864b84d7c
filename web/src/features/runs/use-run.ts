import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { isFinished, type LiveMessage, type RecordMessage, type Run } from '~/lib/api'
import { followStream } from '~/lib/event-stream'
import { request, url } from '~/lib/http'
import { refresh } from '~/lib/refresh'
import { readSteps, runViewQuery, stepsAtOnce } from './api'
import { addSteps, appendLive, applyRecords, type LiveLine, type RunView } from './run-fold-model'

/** Changes are shown at most this often: a busy run writes many records a second. */
const flushMs = 60

/** What is read beside the stream follows it at most this often. */
const companionsMs = 400

/** A run, read once and then kept up by its stream until it ends. */
export function useRun(id: string) {
  const client = useQueryClient()
  const query = useQuery(runViewQuery(id))
  const [live, setLive] = useState<LiveLine[]>([])
  const ready = query.isSuccess
  // A run that had ended may be gone back into.
  const finished = query.data ? isFinished(query.data.run.state) : false
  useEffect(() => {
    const view = client.getQueryData<RunView>(['run', id])
    if (!ready || !view || finished) return
    return followRun(client, id, view.run.position, messages => setLive(lines => messages.reduce(appendLive, lines)))
  }, [client, id, ready, finished])
  const loadMore = useMutation({
    mutationFn: async () => {
      const cursor = client.getQueryData<RunView>(['run', id])?.more
      if (!cursor) return
      const { steps, next } = await readSteps(id, cursor, stepsAtOnce)
      client.setQueryData<RunView>(['run', id], view => view && addSteps(view, steps, next))
    },
  })
  return { query, live, loadMore }
}

/** What the stream does not tell of a run that has ended: when it goes, what goes on in its place. */
async function readEnd(client: QueryClient, id: string) {
  const run = await request<Run>(url`/api/v1/runs/${id}`).catch(() => undefined)
  if (!run) return
  // One that was taken back meanwhile is told by its stream again.
  client.setQueryData<RunView>(['run', id], view => (view?.run.position === run.position ? { ...view, run } : view))
}

function followRun(
  client: QueryClient,
  id: string,
  after: number,
  onLive: (messages: LiveMessage[]) => void,
): () => void {
  let records: RecordMessage[] = []
  let lives: LiveMessage[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let companions: ReturnType<typeof setTimeout> | undefined
  const readCompanions = () => {
    companions = undefined
    for (const key of ['waiting', 'artifacts', 'journal']) void refresh(client, [key, id])
  }
  const flush = () => {
    timer = undefined
    if (lives.length > 0) onLive(lives)
    if (records.length > 0) {
      client.setQueryData<RunView>(['run', id], view => view && applyRecords(view, records))
      if (isFinished(records.at(-1)!.run.state)) {
        readCompanions()
        void readEnd(client, id)
      } else companions ??= setTimeout(readCompanions, companionsMs)
    }
    records = []
    lives = []
  }
  const close = followStream(url`/api/v1/runs/${id}/stream`, {
    after,
    onMessage: message => {
      if (message.event === 'record') {
        const record = JSON.parse(message.data) as RecordMessage
        records.push(record)
        // The stream ends here; not every way to the server keeps its last message.
        if (isFinished(record.run.state)) close()
      } else if (message.event === 'live') lives.push(JSON.parse(message.data) as LiveMessage)
      timer ??= setTimeout(flush, flushMs)
    },
  })
  return () => {
    clearTimeout(timer)
    clearTimeout(companions)
    close()
  }
}

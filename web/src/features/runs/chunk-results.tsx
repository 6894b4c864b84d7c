import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { JsonView } from '~/components/json/json-view'
import { Button } from '~/components/ui/button'
import { LoadMore, Loading, ProblemView } from '~/components/ui/feedback'
import type { Step } from '~/lib/api'
import { shortId } from '~/lib/ids'
import { resultsQuery } from './api'
import type { ChunkResult } from './chunk-result'

/** What the children of a map gave, read from them on request: there may be millions. */
export function ChunkResults({ run, step }: { run: string; step: Step }) {
  const [open, setOpen] = useState(false)
  if (!open)
    return (
      <div>
        <Button size="sm" onClick={() => setOpen(true)}>
          Show the results
        </Button>
      </div>
    )
  return <ChunkList run={run} step={step} />
}

function ChunkList({ run, step }: { run: string; step: Step }) {
  const list = useInfiniteQuery(resultsQuery(run, step))
  if (list.isError) return <ProblemView error={list.error} retry={() => void list.refetch()} />
  if (list.isPending) return <Loading what="the results" />
  const chunks = list.data.pages.flatMap(p => p.items)
  if (chunks.length === 0) return <p className="text-xs text-soft">There are no results.</p>
  return (
    <>
      <ol aria-label="Results" className="flex flex-col gap-2 text-xs">
        {chunks.map(c => (
          <Chunk key={c.chunk} chunk={c} />
        ))}
      </ol>
      <LoadMore list={list} />
    </>
  )
}

function Chunk({ chunk }: { chunk: ChunkResult }) {
  const last = chunk.offset + chunk.count - 1
  const name = chunk.count === 1 ? `Result ${chunk.offset}` : `Results ${chunk.offset} to ${last}`
  return (
    <li className="border border-line">
      <p className="flex flex-wrap gap-x-2 px-3 py-1">
        <span className="tabular">{name}</span>
        {chunk.runs.map(child => (
          <Link
            key={child}
            to="/runs/$runId"
            params={{ runId: child }}
            className="font-mono text-accent hover:underline"
          >
            {shortId(child)}
          </Link>
        ))}
        {chunk.state === 'gone' && <span className="text-soft">The child run is not kept any more.</span>}
        {chunk.state === 'missing' && <span className="text-soft">No child has completed.</span>}
      </p>
      {chunk.results && <JsonView value={chunk.results} label={name} />}
    </li>
  )
}

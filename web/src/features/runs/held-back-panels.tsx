import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Button } from '~/components/ui/button'
import { Panel } from '~/components/ui/page'
import { refresh } from '~/lib/refresh'
import { formatDuration, spanMs, useNow } from '~/lib/time'
import { dealWithDeadLetters, deadLettersQuery, limitsQuery, type DeadLetter, type RunLimit } from './held-back'

/** What keeps runs from working, and what could not be carried on: shown only while there is some of it. */
export function HeldBack() {
  const limits = (useQuery(limitsQuery).data?.items ?? []).filter(l => l.queued > 0)
  const letters = useQuery(deadLettersQuery).data?.items ?? []
  return (
    <>
      {limits.length > 0 && <Limits limits={limits} />}
      {letters.length > 0 && <DeadLetters letters={letters} />}
    </>
  )
}

function Limits({ limits }: { limits: RunLimit[] }) {
  const now = useNow('slow')
  return (
    <Panel title="Limits" className="border-b">
      <ul className="max-h-40 overflow-y-auto px-4 py-1 text-sm">
        {limits.map(l => (
          <li key={`${l.name} ${l.key}`} className="flex flex-wrap gap-x-3">
            <span className="font-medium">{l.name}</span>
            {l.key && <span className="font-mono text-xs">{l.key}</span>}
            <span className="tabular text-soft">
              {l.kind === 'slot' ? `${l.held} of ${l.limit} at work, ` : ''}
              {l.queued} waiting
              {l.oldestSince && `, the first for ${formatDuration(spanMs(l.oldestSince, null, now) ?? 0)}`}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function DeadLetters({ letters }: { letters: DeadLetter[] }) {
  const client = useQueryClient()
  const deal = useMutation({
    mutationFn: ({ what, ids }: { what: 'requeue' | 'discard'; ids: string[] }) => dealWithDeadLetters(what, ids),
    onSettled: () => refresh(client, ['dead-letters']),
  })
  const refused = new Map(deal.data?.refused.map(r => [r.id, r.detail]))
  const all = letters.map(l => l.id)
  return (
    <Panel
      title="Dead letters"
      className="border-b"
      actions={
        <>
          <Button disabled={deal.isPending} onClick={() => deal.mutate({ what: 'requeue', ids: all })}>
            Try all again
          </Button>
          <Button disabled={deal.isPending} onClick={() => deal.mutate({ what: 'discard', ids: all })}>
            Forget all
          </Button>
        </>
      }
    >
      {deal.isError && (
        <p role="alert" className="px-4 py-1 text-sm">
          {deal.error.message}
        </p>
      )}
      <ul className="max-h-56 overflow-y-auto px-4 py-1 text-sm">
        {letters.map(l => (
          <li key={l.id} className="flex flex-wrap items-center gap-x-3">
            <span className="font-medium">{l.definition || l.subject}</span>
            <span>{l.error?.title ?? l.reason}</span>
            <span className="tabular text-soft">{l.times > 1 ? `${l.times} times` : l.reason}</span>
            {l.kind === 'run' && (
              <Link to="/runs/$runId" params={{ runId: l.subject }} className="text-xs text-accent hover:underline">
                open the run
              </Link>
            )}
            {refused.has(l.id) && <span role="alert">{refused.get(l.id)}</span>}
          </li>
        ))}
      </ul>
    </Panel>
  )
}

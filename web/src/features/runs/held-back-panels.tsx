import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { Panel } from '~/components/ui/page'
import { refresh } from '~/lib/refresh'
import { formatDuration, spanMs, useNow } from '~/lib/time'
import { dealWithDeadLetters, deadLettersQuery, limitsQuery, type DeadLetter, type RunLimit } from './held-back'

/** What keeps runs from working, and what could not be carried on: shown only while there is some of it. */
export function HeldBack() {
  const limits = (useQuery(limitsQuery).data?.items ?? []).filter(l => l.queued > 0)
  const { items: letters = [], next } = useQuery(deadLettersQuery).data ?? {}
  return (
    <>
      {limits.length > 0 && <Limits limits={limits} />}
      {letters.length > 0 && <DeadLetters letters={letters} more={Boolean(next)} />}
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

/** @param more Whether there are others that the page does not show; what is done here leaves them alone. */
function DeadLetters({ letters, more }: { letters: DeadLetter[]; more: boolean }) {
  const client = useQueryClient()
  const [forgetting, setForgetting] = useState(false)
  const deal = useMutation({
    mutationFn: ({ what, ids }: { what: 'requeue' | 'discard'; ids: string[] }) => dealWithDeadLetters(what, ids),
    onSettled: () => {
      setForgetting(false)
      return refresh(client, ['dead-letters'])
    },
  })
  const refused = new Map(deal.data?.refused.map(r => [r.id, r.detail]))
  const all = letters.map(l => l.id)
  const which = more ? `these ${all.length}` : 'all'
  return (
    <Panel
      title="Dead letters"
      className="border-b"
      actions={
        <>
          <Button disabled={deal.isPending} onClick={() => deal.mutate({ what: 'requeue', ids: all })}>
            Try {which} again
          </Button>
          <Button disabled={deal.isPending} onClick={() => setForgetting(true)}>
            Forget {which}…
          </Button>
        </>
      }
    >
      {forgetting && (
        <ForgetDialog
          count={all.length}
          pending={deal.isPending}
          onConfirm={() => deal.mutate({ what: 'discard', ids: all })}
          onClose={() => setForgetting(false)}
        />
      )}
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

interface ForgetProps {
  count: number
  pending: boolean
  onConfirm: () => void
  onClose: () => void
}

function ForgetDialog({ count, pending, onConfirm, onClose }: ForgetProps) {
  return (
    <Dialog
      title={count === 1 ? 'Forget this dead letter?' : `Forget ${count} dead letters?`}
      onClose={onClose}
      width="w-[28rem]"
    >
      <DialogBody>
        <p>They cannot be tried again after that. Runs stay in the list of runs.</p>
      </DialogBody>
      <DialogActions>
        <Button onClick={onClose}>Go back</Button>
        <Button look="danger" onClick={onConfirm} disabled={pending}>
          Forget
        </Button>
      </DialogActions>
    </Dialog>
  )
}

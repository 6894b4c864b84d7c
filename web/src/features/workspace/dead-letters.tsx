import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { Panel } from '~/components/ui/page'
import { refresh } from '~/lib/refresh'
import { dealWithDeadLetters } from './api'
import type { DeadLetter, DeadLetterFilter } from './workspace'

type Which = { ids: string[] } | DeadLetterFilter

interface DeadLettersProps {
  letters: DeadLetter[]
  /** Whether there are others that the page does not show. */
  more: boolean
  /** What they are filtered by; what is done to all of them is then done to all that fit, shown or not. */
  filter?: DeadLetterFilter
  /** Above the list. */
  children?: ReactNode
}

/** What could not be carried on or delivered: each is tried again or forgotten by itself, or all that are shown together. */
export function DeadLetters({ letters, more, filter = {}, children }: DeadLettersProps) {
  const client = useQueryClient()
  const [forgetting, setForgetting] = useState<Which | null>(null)
  const deal = useMutation({
    mutationFn: ({ what, which }: { what: 'requeue' | 'discard'; which: Which }) => dealWithDeadLetters(what, which),
    onSettled: () => {
      setForgetting(null)
      return refresh(client, ['dead-letters'])
    },
  })
  const refused = new Map(deal.data?.refused.map(r => [r.id, r.detail]))
  const requeue = (which: Which) => deal.mutate({ what: 'requeue', which })
  const filtered = Object.keys(filter).length > 0
  const all: Which = filtered ? filter : { ids: letters.map(l => l.id) }
  const which = filtered ? 'all that fit' : more ? `these ${letters.length}` : 'all'
  return (
    <Panel
      title="Dead letters"
      className="border-b"
      actions={
        letters.length > 0 && (
          <>
            <Button size="sm" disabled={deal.isPending} onClick={() => requeue(all)}>
              Try {which} again
            </Button>
            <Button size="sm" disabled={deal.isPending} onClick={() => setForgetting(all)}>
              Forget {which}…
            </Button>
          </>
        )
      }
    >
      {children}
      {forgetting && (
        <ForgetDialog
          count={'ids' in forgetting ? forgetting.ids.length : null}
          pending={deal.isPending}
          onConfirm={() => deal.mutate({ what: 'discard', which: forgetting })}
          onClose={() => setForgetting(null)}
        />
      )}
      {deal.isError && (
        <p role="alert" className="px-4 py-1 text-sm">
          {deal.error.message}
        </p>
      )}
      {letters.length === 0 && (
        <p className="px-4 py-3 text-soft">
          {filtered ? 'No dead letter fits.' : 'Everything could be carried on and delivered.'}
        </p>
      )}
      {letters.length > 0 && (
        <ul aria-label="Dead letters" className="max-h-80 divide-y divide-line overflow-y-auto text-sm">
          {letters.map(letter => (
            <LetterRow
              key={letter.id}
              letter={letter}
              refused={refused.get(letter.id)}
              pending={deal.isPending}
              onRequeue={() => requeue({ ids: [letter.id] })}
              onForget={() => setForgetting({ ids: [letter.id] })}
            />
          ))}
        </ul>
      )}
    </Panel>
  )
}

interface LetterProps {
  letter: DeadLetter
  /** Why it stays. */
  refused: string | undefined
  pending: boolean
  onRequeue: () => void
  onForget: () => void
}

function LetterRow({ letter, refused, pending, onRequeue, onForget }: LetterProps) {
  const { kind, subject, definition, reason, error, times } = letter
  const name = definition || subject
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-1.5">
      <span className="flex min-w-0 flex-1 basis-60 flex-wrap items-baseline gap-x-3">
        <span className="font-medium break-all">{name}</span>
        <span>{error?.title ?? reason}</span>
        <span className="tabular text-soft">{times > 1 ? `${times} times` : reason}</span>
        {kind === 'run' && (
          <Link to="/runs/$runId" params={{ runId: subject }} className="text-xs text-accent hover:underline">
            open the run
          </Link>
        )}
        {refused && (
          <span role="alert" className="w-full text-faulted">
            {refused}
          </span>
        )}
      </span>
      <span className="flex gap-1">
        <Button size="sm" look="quiet" disabled={pending} onClick={onRequeue} aria-label={`Try again: ${name}`}>
          Try again
        </Button>
        <Button size="sm" look="quiet" disabled={pending} onClick={onForget} aria-label={`Forget… ${name}`}>
          Forget…
        </Button>
      </span>
    </li>
  )
}

interface ForgetProps {
  /** Null: all that fit the filter. */
  count: number | null
  pending: boolean
  onConfirm: () => void
  onClose: () => void
}

function ForgetDialog({ count, pending, onConfirm, onClose }: ForgetProps) {
  return (
    <Dialog
      title={
        count === 1
          ? 'Forget this dead letter?'
          : count === null
            ? 'Forget all that fit?'
            : `Forget ${count} dead letters?`
      }
      onClose={onClose}
      width="w-[28rem]"
    >
      <DialogBody>
        <p>{count === 1 ? 'It' : 'They'} cannot be tried again after that. Runs stay in the list of runs.</p>
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

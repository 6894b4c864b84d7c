import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Panel } from '~/components/ui/page'
import { useNow } from '~/lib/time'
import { deadLettersQuery, limitsQuery } from './api'
import { DeadLetters } from './dead-letters'
import type { RunLimit } from './workspace'
import { lineText } from './workspace-model'

/** What keeps runs from working, and what could not be carried on: shown only while there is some of it. */
export function HeldBack() {
  const limits = (useQuery(limitsQuery).data?.items ?? []).filter(l => l.queued > 0)
  const { items: letters = [], next } = useQuery(deadLettersQuery()).data ?? {}
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
    <Panel
      title="Limits"
      className="border-b"
      actions={
        <Link to="/workspace" className="text-xs text-accent hover:underline">
          change them
        </Link>
      }
    >
      <ul className="max-h-40 overflow-y-auto px-4 py-1 text-sm">
        {limits.map(l => (
          <li key={`${l.name} ${l.key}`} className="flex flex-wrap gap-x-3">
            <span className="font-medium">{l.name}</span>
            {l.key && <span className="font-mono text-xs">{l.key}</span>}
            <span className="tabular text-soft">{lineText(l, now)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

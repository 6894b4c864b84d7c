import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Loading, ProblemView } from '~/components/ui/feedback'
import { inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import { Panel } from '~/components/ui/page'
import { refresh } from '~/lib/refresh'
import { useNow } from '~/lib/time'
import { limitsQuery, setLimit } from './api'
import { LimitDialog } from './limit-dialog'
import type { RunLimit } from './workspace'
import { canSet, limitMax, lineText, readLimit } from './workspace-model'

/** Limits that runs hold or wait for, each with a number that can be set in place of what the documents say. */
export function LimitsPanel() {
  const lines = useQuery(limitsQuery)
  const [adding, setAdding] = useState(false)
  const items = lines.data?.items ?? []
  return (
    <Panel
      title="Limits"
      className="border-b"
      actions={
        <Button size="sm" onClick={() => setAdding(true)}>
          <Plus size={13} aria-hidden /> Set a limit…
        </Button>
      }
    >
      {lines.isPending && <Loading what="the limits" rows={3} />}
      {lines.isError && <ProblemView error={lines.error} retry={() => void lines.refetch()} />}
      {lines.isSuccess && items.length === 0 && (
        <p className="px-4 py-3 text-soft">
          No run holds a limit or waits for one. Definitions name theirs under metadata.flow.
        </p>
      )}
      {items.length > 0 && (
        <ul aria-label="Limits" className="divide-y divide-line">
          {items.map(line => (
            <Line key={`${line.name} ${line.key}`} line={line} />
          ))}
        </ul>
      )}
      {lines.data?.next && <p className="px-4 py-2 text-xs text-soft">There are more limits than are shown.</p>}
      {adding && <LimitDialog onClose={() => setAdding(false)} />}
    </Panel>
  )
}

function Line({ line }: { line: RunLimit }) {
  const now = useNow('slow')
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
      <span className="flex min-w-0 flex-1 basis-60 flex-wrap items-baseline gap-x-3">
        <span className="font-medium break-all">{line.name}</span>
        {line.key && <span className="font-mono text-xs break-all">{line.key}</span>}
        <span className="tabular text-xs text-soft">{lineText(line, now)}</span>
      </span>
      {/* Begun anew when the number is another: what somebody else set is not written over unseen. */}
      {canSet(line) && <Most key={`${line.limit} ${line.isSetting}`} line={line} />}
    </li>
  )
}

/** The number of a limit, which holds for all its keys. */
function Most({ line: { name, key, kind, limit, isSetting } }: { line: RunLimit }) {
  const client = useQueryClient()
  const { tell, refuse } = useNotices()
  const [text, setText] = useState(String(limit))
  const set = useMutation({
    mutationFn: (most: number | null) => setLimit(name, most),
    onSuccess: async (_, most) => {
      tell(most === null ? `${name} is what the documents say.` : `${name} is ${most} now, for all its keys.`)
      await refresh(client, ['limits'])
    },
    onError: refuse,
  })
  const wanted = readLimit(text)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (wanted !== null) set.mutate(wanted)
  }
  return (
    <form onSubmit={submit} className="flex flex-wrap items-center gap-2 text-xs">
      <label className="flex items-center gap-2">
        <span>{kind === 'rate' ? 'starts at most' : 'at once'}</span>
        <input
          type="number"
          min={1}
          max={limitMax}
          required
          value={text}
          aria-label={`Limit of ${name}${key ? ` for ${key}` : ''}`}
          onChange={event => setText(event.target.value)}
          className={`${inputClass} tabular !w-24`}
        />
      </label>
      <Button type="submit" size="sm" disabled={set.isPending || wanted === null || wanted === limit}>
        Change
      </Button>
      {isSetting && (
        <Button size="sm" look="quiet" disabled={set.isPending} onClick={() => set.mutate(null)}>
          As the documents say
        </Button>
      )}
    </form>
  )
}

import { useInfiniteQuery } from '@tanstack/react-query'
import { History } from 'lucide-react'
import { JsonView } from '~/components/json/json-view'
import { Button } from '~/components/ui/button'
import { Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import type { JournalRecord, Json, Step } from '~/lib/api'
import { formatTime } from '~/lib/time'
import { journalQuery } from './api'

interface JournalProps {
  run: string
  steps: ReadonlyMap<number, Step>
  onSeq: (seq: number) => void
}

/** The run's records as they are stored, oldest first. */
export function Journal({ run, steps, onSeq }: JournalProps) {
  const journal = useInfiniteQuery(journalQuery(run))
  if (journal.isError) return <ProblemView error={journal.error} retry={() => void journal.refetch()} />
  if (!journal.data) return <Loading what="the journal" rows={10} />
  return (
    <>
      <ol aria-label="Records" className="divide-y divide-line border-b border-line bg-surface">
        {journal.data.pages
          .flatMap(p => p.items)
          .map(record => (
            <RecordItem key={record.seq} record={record} steps={steps} onSeq={onSeq} />
          ))}
      </ol>
      <LoadMore list={journal} />
    </>
  )
}

function RecordItem({ record, steps, onSeq }: { record: JournalRecord } & Omit<JournalProps, 'run'>) {
  return (
    <li className="[contain-intrinsic-size:auto_2rem] [content-visibility:auto]">
      <details>
        <summary className="flex items-baseline gap-4 px-4 py-1 -outline-offset-2 hover:bg-accent-wash">
          <span className="tabular w-10 shrink-0 text-right font-mono text-xs text-soft">{record.seq}</span>
          <time className="tabular shrink-0 font-mono text-xs text-soft" dateTime={record.at}>
            {formatTime(record.at)}
          </time>
          <span className="min-w-0 truncate font-mono text-xs">
            {record.entries.map(e => entryName(e, steps)).join(' · ')}
          </span>
        </summary>
        <div className="px-4 py-1">
          <Button look="quiet" size="sm" onClick={() => onSeq(record.seq)}>
            <History size={13} aria-hidden /> State here
          </Button>
        </div>
        <JsonView value={record.entries} label={`record ${record.seq}`} />
      </details>
    </li>
  )
}

/** `step.completed 4 check`: an entry's kind, and its step where it has one. */
function entryName(entry: Json, steps: ReadonlyMap<number, Step>): string {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return JSON.stringify(entry)
  const name = typeof entry.e === 'string' ? entry.e : 'entry'
  return typeof entry.step === 'number' ? `${name} ${entry.step} ${steps.get(entry.step)?.name ?? ''}` : name
}

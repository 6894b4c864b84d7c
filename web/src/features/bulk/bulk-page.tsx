import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Layers, Square } from 'lucide-react'
import { Button, buttonClass } from '~/components/ui/button'
import { EmptyState, Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import { useNotices } from '~/components/ui/notices'
import { PageHeader, Trail, usePageTitle } from '~/components/ui/page'
import { StateMark } from '~/components/ui/state'
import { shortId } from '~/lib/ids'
import { refresh } from '~/lib/refresh'
import { formatDuration, formatMoment, formatRelative, spanMs, useNow } from '~/lib/time'
import { bulkQuery, stopBulk } from './api'
import type { BulkWork } from './bulk'
import { actions, describe, progress } from './bulk-model'

export function BulkPage() {
  usePageTitle('Bulk work')
  const list = useInfiniteQuery(bulkQuery)
  const items = list.data?.pages.flatMap(p => p.items) ?? []
  return (
    <>
      <PageHeader trail={<Trail to="/runs">Runs</Trail>} title="Bulk work">
        <p className="text-soft">One wish about many runs each. It goes on by itself, also when this page is closed.</p>
      </PageHeader>
      {list.isPending && <Loading what="the bulk work" />}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && (
        <EmptyState title="No bulk work yet" icon={<Layers size={28} aria-hidden />}>
          <p>Filter the runs, then choose what becomes of all that match.</p>
          <Link to="/runs" className={buttonClass('solid')}>
            Go to the runs
          </Link>
        </EmptyState>
      )}
      {items.length > 0 && (
        <ul aria-label="Bulk work" className="divide-y divide-line border-b border-line bg-surface">
          {items.map(work => (
            <Work key={work.id} work={work} />
          ))}
        </ul>
      )}
      <LoadMore list={list} />
    </>
  )
}

function Work({ work }: { work: BulkWork }) {
  const now = useNow(work.state === 'running' ? 'fast' : 'slow')
  const { verb } = actions[work.action]
  const words = describe(work.request, now)
  const span = spanMs(work.createdAt, work.endedAt, now)
  return (
    <li aria-label={`${verb} ${words}`} className="flex flex-col gap-1.5 px-4 py-3 md:px-6">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <span data-state={work.state} className="inline-flex w-26 items-center gap-1.5 font-medium text-(--state)">
          <StateMark state={work.state} /> {work.state === 'cancelled' ? 'stopped' : work.state}
        </span>
        <span className="order-first w-full min-w-0 break-words md:order-none md:w-auto md:flex-1">
          <span className="font-medium">{verb}</span> {words}
        </span>
        <span className="tabular font-mono text-xs text-soft">{formatDuration(span ?? 0)}</span>
        <span className="ml-auto text-right md:w-20 text-xs text-soft" title={formatMoment(work.createdAt)}>
          {formatRelative(work.createdAt, now)}
        </span>
        {work.state === 'running' && <StopButton work={work} />}
      </div>
      <Progress work={work} />
      {work.request.reason && <p className="text-xs text-soft">{work.request.reason}</p>}
      <Refusals work={work} />
    </li>
  )
}

function Progress({ work }: { work: BulkWork }) {
  const { done, refused } = progress(work)
  return (
    <div className="flex items-center gap-3">
      <div
        role="progressbar"
        aria-label="Runs gone through"
        aria-valuenow={Math.round((done + refused) * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        className="flex h-1.5 w-40 shrink-0 overflow-hidden rounded-full bg-sunken"
      >
        <div data-state="completed" className="bg-(--state)" style={{ width: `${done * 100}%` }} />
        <div data-state="faulted" className="bg-(--state)" style={{ width: `${refused * 100}%` }} />
      </div>
      <span className="tabular text-xs">
        {work.done} of {work.found} done{work.refused > 0 && `, ${work.refused} refused`}
      </span>
    </div>
  )
}

function Refusals({ work }: { work: BulkWork }) {
  const { refusals, refused } = work
  if (refusals.length === 0) return null
  return (
    <details className="text-xs">
      <summary className="w-fit text-soft hover:text-ink">
        {refused > refusals.length ? `The first ${refusals.length} refusals` : 'Why they were refused'}
      </summary>
      <ul className="mt-1 flex flex-col gap-1 border-l-2 border-line pl-3">
        {refusals.map(({ run, code, detail }) => (
          <li key={run} className="break-words">
            <Link
              to="/runs/$runId"
              params={{ runId: run }}
              className="font-mono text-accent hover:underline"
              title={run}
            >
              {shortId(run)}
            </Link>{' '}
            {detail} <code className="font-mono text-soft">{code}</code>
          </li>
        ))}
      </ul>
    </details>
  )
}

function StopButton({ work }: { work: BulkWork }) {
  const client = useQueryClient()
  const { tell, refuse } = useNotices()
  const stop = useMutation({
    mutationFn: () => stopBulk(work.id),
    onSuccess: () => tell('It goes on to no further runs; what was done stays done.'),
    onError: refuse,
    onSettled: () => refresh(client, ['bulk']),
  })
  return (
    <Button size="sm" onClick={() => stop.mutate()} disabled={stop.isPending}>
      <Square size={12} aria-hidden /> Stop
    </Button>
  )
}

import { useInfiniteQuery } from '@tanstack/react-query'
import { Plus, Send } from 'lucide-react'
import { useState } from 'react'
import { Button } from '~/components/ui/button'
import { EmptyState, Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import { PageHeader, usePageTitle } from '~/components/ui/page'
import { StateMark } from '~/components/ui/state'
import { formatMoment, formatRelative, useNow } from '~/lib/time'
import { sinksQuery } from './api'
import type { Sink } from './sink'
import { SinkActions } from './sink-actions'
import { SinkDialog } from './sink-dialog'
import { looks, pendingText, typesText } from './sink-model'

const columns = 'md:grid-cols-[6.5rem_minmax(0,1.6fr)_minmax(0,1fr)_5rem_5rem_auto]'

export function SinksPage() {
  usePageTitle('Sinks')
  const list = useInfiniteQuery(sinksQuery)
  const [adding, setAdding] = useState(false)
  const items = list.data?.pages.flatMap(p => p.items) ?? []
  const add = (
    <Button look="solid" onClick={() => setAdding(true)}>
      <Plus size={14} aria-hidden /> Add a sink
    </Button>
  )
  return (
    <>
      <PageHeader title="Sinks" actions={items.length > 0 && add}>
        <p className="text-soft">Addresses that get the workspace’s events, in their order.</p>
      </PageHeader>
      {list.isPending && <Loading what="the sinks" />}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && (
        <EmptyState title="No sink yet" icon={<Send size={28} aria-hidden />}>
          <p>
            A sink sends on what comes in and what runs emit, and tells of runs that fault or complete when it names the
            types of those events.
          </p>
          {add}
        </EmptyState>
      )}
      {items.length > 0 && <SinkTable items={items} />}
      <LoadMore list={list} />
      {adding && <SinkDialog sink={null} onClose={() => setAdding(false)} />}
    </>
  )
}

function SinkTable({ items }: { items: readonly Sink[] }) {
  return (
    <div role="table" aria-label="Sinks" className="bg-surface">
      <div role="rowgroup" className="hidden border-b border-line md:block">
        <div role="row" className={`label gap-x-4 px-6 py-1.5 md:grid ${columns}`}>
          <span role="columnheader">State</span>
          <span role="columnheader">Sink</span>
          <span role="columnheader">Types</span>
          <span role="columnheader" className="text-right">
            Delivered
          </span>
          <span role="columnheader" className="text-right">
            Behind
          </span>
          <span role="columnheader" className="w-60">
            <span className="sr-only">Actions</span>
          </span>
        </div>
      </div>
      <div role="rowgroup" className="divide-y divide-line border-b border-line">
        {items.map(item => (
          <SinkRow key={item.id} sink={item} />
        ))}
      </div>
    </div>
  )
}

function SinkRow({ sink }: { sink: Sink }) {
  const { look, words } = looks[sink.state]
  return (
    <div
      role="row"
      aria-label={sink.name}
      className={`flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5 md:grid md:px-6 md:py-2 ${columns}`}
    >
      <span
        role="cell"
        data-state={look}
        className="inline-flex items-center gap-1.5 self-start font-medium text-(--state)"
      >
        <StateMark state={look} /> {words}
      </span>
      <span role="cell" className="order-first w-full min-w-0 self-start md:order-none md:w-auto">
        <span className="block font-medium break-words">{sink.name}</span>
        <span className="block font-mono text-xs break-all text-soft">{sink.url}</span>
        <Trouble sink={sink} />
      </span>
      <span
        role="cell"
        className="order-2 w-full min-w-0 self-start font-mono text-xs break-words text-soft md:order-none md:w-auto"
      >
        {typesText(sink)}
      </span>
      <span role="cell" className="tabular order-1 self-start text-xs md:order-none md:text-right">
        {sink.delivered}
        <span className="text-soft md:sr-only"> delivered</span>
      </span>
      <span role="cell" className="tabular order-1 self-start text-xs md:order-none md:text-right">
        {pendingText(sink)}
        <span className="text-soft md:sr-only"> behind</span>
      </span>
      <span role="cell" className="order-3 flex w-full flex-wrap items-center gap-1 self-start md:order-none md:w-60">
        <SinkActions sink={sink} />
      </span>
    </div>
  )
}

/** Why the last event was not taken, and what comes of it. */
function Trouble({ sink }: { sink: Sink }) {
  const now = useNow('slow')
  const { error, failingSince, nextTryAt, deadAt, attempts } = sink
  if (!error) return null
  const told = (time: string, words: string) => (
    <span title={formatMoment(time)}>
      {' '}
      {words} {formatRelative(time, now)}.
    </span>
  )
  return (
    <span className="mt-0.5 block text-xs break-words">
      <span className="text-faulted">{error}</span>
      {failingSince && told(failingSince, `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}, the first`)}
      {nextTryAt && told(nextTryAt, 'The next comes')}
      {deadAt && told(deadAt, 'Given up')}
    </span>
  )
}

import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { FilePlus2, FileSearch, Plus } from 'lucide-react'
import { useState } from 'react'
import { Button, buttonClass } from '~/components/ui/button'
import { CopyButton } from '~/components/ui/copy-button'
import { EmptyState, Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import { inputClass } from '~/components/ui/field'
import { PageHeader, usePageTitle } from '~/components/ui/page'
import type { DefinitionSummary } from '~/lib/api'
import { formatMoment, formatRelative, useNow } from '~/lib/time'
import { definitionsQuery } from './api'
import { SuspendButton } from './suspend-button'

export function DefinitionsPage({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
  usePageTitle('Definitions')
  const list = useInfiniteQuery({ ...definitionsQuery(q), placeholderData: keepPreviousData })
  const items = list.data?.pages.flatMap(p => p.items) ?? []
  return (
    <>
      <PageHeader
        title="Definitions"
        actions={
          <>
            <SearchBox q={q} onSearch={onSearch} />
            <SuspendButton />
            <Link to="/definitions/new" className={buttonClass('solid')}>
              <Plus size={15} aria-hidden /> New definition
            </Link>
          </>
        }
      />
      {list.isPending && <Loading what="the definitions" />}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && (q ? <NothingFound q={q} onSearch={onSearch} /> : <FirstDefinition />)}
      {items.length > 0 && <DefinitionTable items={items} />}
      <LoadMore list={list} />
    </>
  )
}

function SearchBox({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
  const [text, setText] = useState(q)
  return (
    <input
      type="search"
      aria-label="Search definitions"
      placeholder="Search names and documents"
      value={text}
      maxLength={200}
      onChange={event => {
        setText(event.target.value)
        // At once: a late change of the address could undo a step the reader took meanwhile.
        onSearch(event.target.value.trim())
      }}
      className={`${inputClass} h-8 !w-64 max-w-full`}
    />
  )
}

export function DefinitionTable({ items }: { items: readonly DefinitionSummary[] }) {
  const now = useNow('slow')
  return (
    <ul className="divide-y divide-line border-b border-line bg-surface">
      {items.map(item => (
        <li key={`${item.namespace}/${item.name}`}>
          <Link
            to="/definitions/$namespace/$name"
            params={{ namespace: item.namespace, name: item.name }}
            className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-0.5 px-4 py-2.5 -outline-offset-2 hover:bg-accent-wash md:grid-cols-[minmax(0,22rem)_minmax(0,1fr)_5rem_7rem] md:items-baseline md:px-6"
          >
            <span className="min-w-0 font-mono text-sm break-words md:truncate">
              <span className="text-soft">{item.namespace}/</span>
              <span className="font-medium">{item.name}</span>
            </span>
            <span className="order-3 col-span-2 min-w-0 truncate text-soft md:order-none md:col-span-1">
              {item.title ?? item.summary}
            </span>
            <span className="tabular text-right font-mono text-xs md:text-left">{item.version}</span>
            <span className="hidden text-right text-xs text-soft md:block" title={formatMoment(item.createdAt)}>
              {formatRelative(item.createdAt, now)}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  )
}

function NothingFound({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
  return (
    <EmptyState title={`Nothing matches “${q}”`} icon={<FileSearch size={28} aria-hidden />}>
      <Button onClick={() => onSearch('')}>Show all definitions</Button>
    </EmptyState>
  )
}

const pushLine = `millrace definitions push greeting.yaml --server ${typeof location === 'undefined' ? '' : location.origin}`

function FirstDefinition() {
  return (
    <EmptyState title="No definition yet" icon={<FilePlus2 size={28} aria-hidden />}>
      <p>A definition is a workflow in the Open Workflow language. Push one from a file:</p>
      <div className="flex max-w-full items-center gap-1 rounded-sm border border-line bg-surface py-0.5 pr-0.5 pl-3 text-left text-ink">
        <code className="overflow-x-auto font-mono text-xs whitespace-nowrap">{pushLine}</code>
        <CopyButton text={pushLine} label="Copy the command" />
      </div>
      <p>or write one here, checked as you type:</p>
      <Link to="/definitions/new" className={buttonClass('solid')}>
        <Plus size={15} aria-hidden /> New definition
      </Link>
    </EmptyState>
  )
}

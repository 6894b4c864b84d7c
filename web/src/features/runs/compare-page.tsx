import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { JsonView } from '~/components/json/json-view'
import { Button } from '~/components/ui/button'
import { EmptyState, Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import { PageHeader, Trail, usePageTitle } from '~/components/ui/page'
import { StateLabel } from '~/components/ui/state'
import type { Json, Run, Step } from '~/lib/api'
import { shortId } from '~/lib/ids'
import { formatDuration } from '~/lib/time'
import { comparisonQuery } from './api'
import { changeText, shownRows } from './compare-model'
import type { DiffRow, RunComparison } from './comparison'
import { headline } from './error-model'

/** Two runs side by side, step by step. */
export default function ComparePage({ left, right }: { left: string; right: string }) {
  usePageTitle(`Compare ${shortId(left)} and ${shortId(right)}`)
  const list = useInfiniteQuery(comparisonQuery(left, right))
  const [all, setAll] = useState(true)
  if (list.isError) return <ProblemView error={list.error} retry={() => void list.refetch()} />
  if (!list.data) return <Loading what="the comparison" rows={10} />
  const head = list.data.pages[0]!
  const rows = shownRows(
    list.data.pages.flatMap(p => p.items),
    all,
  )
  return (
    <>
      <PageHeader
        trail={<Trail to="/runs">Runs</Trail>}
        title="Compare runs"
        actions={
          <Button onClick={() => setAll(!all)} aria-pressed={!all}>
            {all ? 'Only differences' : 'All steps'}
          </Button>
        }
      >
        <Summary comparison={head} />
      </PageHeader>
      {rows.length === 0 ? (
        <EmptyState title="Every step is the same in both" />
      ) : (
        <ol aria-label="Steps" className="divide-y divide-line border-b border-line bg-surface">
          {rows.map(({ row, index }) => (
            <Row key={row.path} row={row} first={index === head.first} />
          ))}
        </ol>
      )}
      <LoadMore list={list} />
    </>
  )
}

function Summary({ comparison }: { comparison: RunComparison }) {
  const { left, right, same, changed, onlyLeft, onlyRight } = comparison
  return (
    <>
      <div className="grid grid-cols-2 gap-x-4">
        <RunLink run={left} side="Left" />
        <RunLink run={right} side="Right" />
      </div>
      <p className="text-xs text-soft">
        {same} the same, {changed} changed, {onlyLeft} only left, {onlyRight} only right
      </p>
    </>
  )
}

function RunLink({ run, side }: { run: Run; side: string }) {
  return (
    <p className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1">
      <span className="label">{side}</span>
      <Link to="/runs/$runId" params={{ runId: run.id }} className="font-mono text-accent hover:underline">
        {shortId(run.id)}
      </Link>
      <span className="font-mono text-xs text-soft">{run.definition.version}</span>
      <StateLabel state={run.state} />
    </p>
  )
}

function Row({ row, first }: { row: DiffRow; first: boolean }) {
  const differs = row.change !== 'same'
  return (
    <li className={`px-4 py-2 ${differs ? 'border-l-4 border-l-accent pl-3' : 'pl-4'}`}>
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5">
        <h2 className="min-w-0 font-mono text-sm break-all">{row.path}</h2>
        <span className={`text-xs ${differs ? 'font-medium' : 'text-soft'}`}>{changeText(row)}</span>
        {first && (
          <span className="rounded-sm bg-accent px-1.5 text-xs font-medium text-accent-ink">first difference</span>
        )}
      </div>
      <div className="grid grid-cols-1 gap-x-4 sm:grid-cols-2">
        <Side step={row.left} ms={row.leftMs} differs={row.differs} side="left" />
        <Side step={row.right} ms={row.rightMs} differs={row.differs} side="right" />
      </div>
    </li>
  )
}

interface SideProps {
  step: Step | null | undefined
  ms: number | null | undefined
  differs: readonly string[]
  side: string
}

function Side({ step, ms, differs, side }: SideProps) {
  if (!step) return <p className="py-1 text-xs text-soft">Not in the {side} run.</p>
  return (
    <div className="min-w-0 py-1">
      <p className="flex flex-wrap items-center gap-x-3 text-xs">
        <span className="label w-9 sm:hidden">{side}</span>
        <StateLabel state={step.state} />
        {typeof ms === 'number' && <span className="tabular font-mono text-soft">{formatDuration(ms)}</span>}
        {step.error && <span className="text-faulted">{headline(step.error)}</span>}
      </p>
      {differs.includes('input') && <Changed name="Input" value={step.input} side={side} />}
      {differs.includes('output') && <Changed name="Output" value={step.output} side={side} />}
    </div>
  )
}

function Changed({ name, value, side }: { name: string; value: Json | undefined; side: string }) {
  return (
    <div>
      <h3 className="label pt-1">{name}</h3>
      {value === undefined ? (
        <p className="text-xs text-soft">None.</p>
      ) : (
        <JsonView value={value} label={`${name.toLowerCase()} ${side}`} />
      )}
    </div>
  )
}

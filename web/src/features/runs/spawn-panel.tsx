import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { Download, GitBranch, RotateCcw } from 'lucide-react'
import { lazy, Suspense, useMemo, useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Loading, ProblemView } from '~/components/ui/feedback'
import { inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import { StateLabel } from '~/components/ui/state'
import { isFinished, type RunState, type Spawn, type SpawnMember, type Step } from '~/lib/api'
import { shortId } from '~/lib/ids'
import { changeConcurrency, membersQuery, redriveStep } from './api'
import { ChunkResults } from './chunk-results'
import { headline } from './error-model'
import { canRedrive, drawnMax, graphOf, sharesOf, summaryOf } from './spawn-model'

const FlowGraph = lazy(() => import('~/components/graph/flow-graph'))

interface SpawnPanelProps {
  run: string
  runState: RunState
  step: Step
  spawn: Spawn
}

/** How far the children of a map or a swarm are, and what can be done about them. */
export function SpawnPanel({ run, runState, step, spawn }: SpawnPanelProps) {
  return (
    <section aria-label="Children" className="flex flex-col gap-2 border-t border-line px-4 py-2.5">
      <Bar spawn={spawn} />
      <p className="tabular text-sm">{summaryOf(spawn)}</p>
      {spawn.firstError && <p className="text-xs text-faulted">First failure: {headline(spawn.firstError)}</p>}
      <div className="flex flex-wrap items-center gap-3">
        <Link
          to="/runs"
          search={{ parent: run }}
          className="inline-flex items-center gap-1.5 text-accent hover:underline"
        >
          <GitBranch size={14} aria-hidden /> list the child runs
        </Link>
        {spawn.results === 'reference' && (
          <a
            href={`/api/v1/runs/${run}/steps/${step.id}/results.jsonl`}
            download
            className="inline-flex items-center gap-1.5 text-accent hover:underline"
          >
            <Download size={14} aria-hidden /> download the results
          </a>
        )}
        {isFinished(runState) && canRedrive(spawn) && <RedriveButton run={run} step={step.id} />}
      </div>
      {!step.endedAt && !isFinished(runState) && (
        <Concurrency key={spawn.concurrency} run={run} step={step.id} spawn={spawn} />
      )}
      <Members run={run} step={step} />
      {spawn.results === 'reference' && <ChunkResults run={run} step={step} />}
      {spawn.results === 'none' && <p className="text-xs text-soft">The map does not give what its children gave.</p>}
    </section>
  )
}

function Bar({ spawn }: { spawn: Spawn }) {
  const done = spawn.completed + spawn.failed + spawn.skipped
  return (
    <div
      role="progressbar"
      aria-label="Children that have ended"
      aria-valuenow={done}
      aria-valuemin={0}
      {...(typeof spawn.total === 'number' ? { 'aria-valuemax': spawn.total } : {})}
      aria-valuetext={summaryOf(spawn)}
      className="flex h-2 overflow-hidden rounded-sm bg-line"
    >
      {sharesOf(spawn).map(part => (
        <div
          key={part.state}
          data-state={part.state}
          title={`${part.count} ${part.state}`}
          className="bg-(--state)"
          style={{ width: `${part.share * 100}%` }}
        />
      ))}
    </div>
  )
}

function RedriveButton({ run, step }: { run: string; step: number }) {
  const client = useQueryClient()
  const { tell, refuse } = useNotices()
  const redrive = useMutation({
    mutationFn: () => redriveStep(run, step),
    onSuccess: async () => {
      tell('What did not complete is carried out again.')
      await client.invalidateQueries({ queryKey: ['run', run] })
    },
    onError: refuse,
  })
  return (
    <Button
      size="sm"
      onClick={() => redrive.mutate()}
      disabled={redrive.isPending}
      title="The run goes back to this step: children that did not complete are carried out again, and so is what follows."
    >
      <RotateCcw size={14} aria-hidden /> Redrive
    </Button>
  )
}

function Concurrency({ run, step, spawn }: { run: string; step: number; spawn: Spawn }) {
  const [value, setValue] = useState(String(spawn.concurrency))
  const { tell, refuse } = useNotices()
  const change = useMutation({
    mutationFn: (wanted: number) => changeConcurrency(run, step, wanted),
    onSuccess: (_, wanted) => tell(`At most ${wanted} children at once.`),
    onError: refuse,
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate(Number(value))
  }
  return (
    <form onSubmit={submit} className="flex items-center gap-2 text-xs">
      <label className="flex items-center gap-2">
        <span>at once</span>
        <input
          type="number"
          min={1}
          max={1000}
          required
          value={value}
          onChange={event => setValue(event.target.value)}
          className={`${inputClass} tabular !w-20`}
        />
      </label>
      <Button type="submit" size="sm" disabled={change.isPending || value === String(spawn.concurrency)}>
        Change
      </Button>
    </form>
  )
}

function Members({ run, step }: { run: string; step: Step }) {
  const members = useQuery(membersQuery(run, step))
  if (members.isError) return <ProblemView error={members.error} retry={() => void members.refetch()} />
  if (!members.data || members.data.length === 0) return null
  return members.data.length > drawnMax ? <MemberList members={members.data} /> : <MemberGraph members={members.data} />
}

function MemberGraph({ members }: { members: readonly SpawnMember[] }) {
  const navigate = useNavigate()
  // The drawing is laid out again only when the members themselves are others.
  const key = members.map(m => [m.name, ...m.needs].join(' ')).join('|')
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the key says when the graph is another
  const graph = useMemo(() => graphOf(members), [key])
  const activity = useMemo(
    () => ({
      nodes: new Map(
        members.map((m, i) => [i, { state: m.state, total: 1, faulted: m.state === 'faulted' ? 1 : 0, attempt: 1 }]),
      ),
      taken: new Set<string>(),
    }),
    [members],
  )
  return (
    <>
      <div className="relative h-72 border border-line">
        <Suspense fallback={<Loading what="the swarm" />}>
          <FlowGraph
            graph={graph}
            label="Members of the swarm"
            activity={activity}
            onSelect={id => {
              const child = members[id]?.child
              if (child) void navigate({ to: '/runs/$runId', params: { runId: child } })
            }}
          />
        </Suspense>
      </div>
      <MemberList members={members} />
    </>
  )
}

function MemberList({ members }: { members: readonly SpawnMember[] }) {
  return (
    <ul aria-label="Members" className="flex max-h-72 flex-col gap-1 overflow-y-auto text-xs">
      {members.map(m => (
        <li key={m.name} className="flex flex-wrap items-baseline gap-x-2">
          <StateLabel state={m.state} />
          <span className="font-mono">{m.name}</span>
          {m.child && (
            <Link to="/runs/$runId" params={{ runId: m.child }} className="text-accent hover:underline">
              {shortId(m.child)}
            </Link>
          )}
          {(m.reason ?? m.error) && <span className="text-soft">{m.reason ?? (m.error && headline(m.error))}</span>}
        </li>
      ))}
    </ul>
  )
}

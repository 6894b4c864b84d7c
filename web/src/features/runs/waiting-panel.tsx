import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Bot, GitBranch, Hourglass, Play, Radio, RotateCw, Timer, UserCheck, Zap } from 'lucide-react'
import type { Waiting } from '~/lib/api'
import { formatDuration, formatMoment, spanMs, useNow } from '~/lib/time'
import { waitingQuery } from './api'
import { SendEvent } from './send-event'

const icons = {
  timer: Timer,
  effect: Zap,
  child: GitBranch,
  resume: Play,
  worker: Bot,
  retry: RotateCw,
  event: Radio,
  slot: Hourglass,
  person: UserCheck,
}

/** What the run waits for, since when, and what will wake it. */
export function WaitingPanel({ id, onStep }: { id: string; onStep: (step: number) => void }) {
  const { data } = useQuery(waitingQuery(id))
  if (!data || data.items.length === 0) return null
  return (
    <section
      aria-label="What it waits for"
      data-state="waiting"
      className="border-b border-line bg-[color-mix(in_oklab,var(--state)_6%,var(--surface))] px-4 py-2 md:px-6"
    >
      <ul className="flex max-h-40 flex-col gap-1 overflow-y-auto">
        {data.items.map((item, i) => (
          <WaitingItem key={i} run={id} item={item} onStep={onStep} />
        ))}
      </ul>
    </section>
  )
}

function WaitingItem({ run, item, onStep }: { run: string; item: Waiting; onStep: (step: number) => void }) {
  const now = useNow('fast')
  const Icon = icons[item.on] ?? Hourglass
  const child = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{22}/.exec(item.on === 'child' ? item.detail : '')?.[0]
  const { step, wakeAt } = item
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5">
      <Icon size={14} aria-hidden className="self-center text-(--state)" />
      <span className="font-medium">{item.detail}</span>
      <span className="tabular text-xs text-soft" title={formatMoment(item.since)}>
        for {formatDuration(spanMs(item.since, null, now) ?? 0)}
      </span>
      {wakeAt && (
        <span className="tabular text-xs text-(--state)" title={formatMoment(wakeAt)}>
          {Date.parse(wakeAt) > now ? `${formatDuration(Date.parse(wakeAt) - now)} left` : 'due'}
        </span>
      )}
      {typeof step === 'number' && (
        <button
          type="button"
          onClick={() => onStep(step)}
          className="text-left font-mono text-xs break-all text-accent hover:underline"
        >
          {item.reference ?? `step ${step}`}
        </button>
      )}
      {item.events && <SendEvent run={run} wanted={item.events} />}
      {item.approval && (
        <Link
          to="/approvals/$approvalId"
          params={{ approvalId: item.approval }}
          className="text-xs text-accent hover:underline"
        >
          decide
        </Link>
      )}
      {child && (
        <Link to="/runs/$runId" params={{ runId: child }} className="text-xs text-accent hover:underline">
          open the child run
        </Link>
      )}
    </li>
  )
}

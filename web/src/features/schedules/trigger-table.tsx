import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { LoadMore, ProblemView } from '~/components/ui/feedback'
import { useNotices } from '~/components/ui/notices'
import { StateLabel } from '~/components/ui/state'
import { formatMoment, formatRelative, useNow } from '~/lib/time'
import { ActiveSwitch } from './active-switch'
import { pauseTrigger, triggersQuery } from './api'
import type { Trigger } from './schedule'
import { listensText } from './schedule-model'

const columns = 'md:grid-cols-[minmax(0,1.4fr)_minmax(0,1.2fr)_9rem_10rem_5.5rem]'

/** Definitions whose runs events start; nothing when there are none. */
export function Triggers() {
  const list = useInfiniteQuery(triggersQuery)
  const items = list.data?.pages.flatMap(p => p.items) ?? []
  if (list.isError) return <ProblemView error={list.error} retry={() => void list.refetch()} />
  if (items.length === 0) return null
  return (
    <section aria-label="Started by events">
      <h2 className="label border-b border-line px-4 pt-6 pb-1.5 md:px-6">Started by events</h2>
      <div role="table" aria-label="Started by events" className="bg-surface">
        <div role="rowgroup" className="hidden border-b border-line md:block">
          <div role="row" className={`label gap-x-4 px-6 py-1.5 md:grid ${columns}`}>
            <span role="columnheader">Definition</span>
            <span role="columnheader">Listens for</span>
            <span role="columnheader">Since</span>
            <span role="columnheader">Last run</span>
            <span role="columnheader">Active</span>
          </div>
        </div>
        <div role="rowgroup" className="divide-y divide-line border-b border-line">
          {items.map(item => (
            <TriggerRow key={`${item.namespace}/${item.name}`} trigger={item} />
          ))}
        </div>
      </div>
      <LoadMore list={list} />
    </section>
  )
}

function TriggerRow({ trigger }: { trigger: Trigger }) {
  const now = useNow('slow')
  const { namespace, name, since, lastRun, error } = trigger
  return (
    <div
      role="row"
      className={`grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 px-4 py-2.5 md:px-6 md:py-1.5 ${columns}`}
    >
      <span role="cell" className="min-w-0 font-mono text-sm break-words md:truncate">
        <Link
          to="/runs"
          search={{ definition: `${namespace}/${name}` }}
          className="inline-flex min-h-6 items-center hover:underline"
        >
          <span className="text-soft">{namespace}/</span>
          <span className="font-medium">{name}</span>
        </Link>
      </span>
      <span role="cell" className="order-2 min-w-0 font-mono text-xs wrap-anywhere text-soft md:order-none">
        {listensText(trigger)}
        {error && <span className="block font-sans text-faulted">{error}</span>}
      </span>
      <span
        role="cell"
        className="tabular order-2 text-right text-xs md:order-none md:text-left"
        title={since ? formatMoment(since) : undefined}
      >
        {trigger.paused ? 'paused' : since ? formatRelative(since, now) : 'long ago'}
      </span>
      <span role="cell" className="order-3 text-xs md:order-none">
        {lastRun ? (
          <Link
            to="/runs/$runId"
            params={{ runId: lastRun.run }}
            className="inline-flex min-h-6 items-center gap-2 hover:underline"
          >
            <StateLabel state={lastRun.state} />
            <span className="text-soft" title={formatMoment(lastRun.createdAt)}>
              {formatRelative(lastRun.createdAt, now)}
            </span>
          </Link>
        ) : (
          <span className="text-soft">no run yet</span>
        )}
      </span>
      <span role="cell" className="order-1 justify-self-end md:order-none md:justify-self-start">
        <TriggerSwitch trigger={trigger} />
      </span>
    </div>
  )
}

function TriggerSwitch({ trigger }: { trigger: Trigger }) {
  const client = useQueryClient()
  const { tell, refuse } = useNotices()
  const change = useMutation({
    mutationFn: (paused: boolean) => pauseTrigger(trigger, paused),
    onSuccess: async ({ paused, name }) => {
      tell(paused ? `Events start no run of ${name}.` : `Events start runs of ${name} from now on.`)
      await client.invalidateQueries({ queryKey: ['triggers'] })
    },
    onError: refuse,
  })
  return (
    <ActiveSwitch
      name={`${trigger.namespace}/${trigger.name} on events`}
      active={change.isPending ? !change.variables : !trigger.paused}
      pending={change.isPending}
      onToggle={() => change.mutate(!trigger.paused)}
    />
  )
}

import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { UserCheck } from 'lucide-react'
import { EmptyState, Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import { PageHeader, usePageTitle } from '~/components/ui/page'
import { StateMark } from '~/components/ui/state'
import { shortId } from '~/lib/ids'
import { formatMoment, formatRelative, useNow } from '~/lib/time'
import { agreedText, askedText, signOf, type Approval, type ApprovalState } from './approval'
import { approvalsQuery } from './api'

const states: ApprovalState[] = ['open', 'approved', 'rejected', 'expired', 'cancelled']
const columns = 'md:grid-cols-[7rem_minmax(0,1fr)_minmax(0,14rem)_8rem_8rem_7rem]'

export function ApprovalsPage({ state }: { state?: ApprovalState | undefined }) {
  usePageTitle('Approvals')
  const list = useInfiniteQuery(approvalsQuery(state))
  const items = list.data?.pages.flatMap(p => p.items) ?? []
  return (
    <>
      <PageHeader title="Approvals" actions={<StateChoice state={state} />} />
      {list.isPending && <Loading what="the approvals" />}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && <Nothing state={state} />}
      {items.length > 0 && (
        <ul aria-label="Approvals" className="divide-y divide-line border-b border-line bg-surface">
          {items.map(item => (
            <Row key={item.id} approval={item} />
          ))}
        </ul>
      )}
      <LoadMore list={list} />
    </>
  )
}

function StateChoice({ state }: { state: ApprovalState | undefined }) {
  const navigate = useNavigate()
  return (
    <label className="flex items-center gap-2 text-xs text-soft">
      State
      <select
        value={state ?? ''}
        onChange={event =>
          void navigate({
            to: '/approvals',
            search: event.target.value ? { state: event.target.value as ApprovalState } : {},
          })
        }
        className="rounded-sm border border-edge bg-raised px-2 py-1 text-sm text-ink"
      >
        <option value="">all</option>
        {states.map(s => (
          <option key={s}>{s}</option>
        ))}
      </select>
    </label>
  )
}

function Row({ approval }: { approval: Approval }) {
  const now = useNow('slow')
  return (
    <li
      className={`relative grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 px-4 py-2.5 hover:bg-accent-wash md:px-6 md:py-1.5 ${columns}`}
    >
      <span className="order-1 justify-self-end md:order-none md:justify-self-start">
        <ApprovalLabel state={approval.state} />
      </span>
      <Link
        to="/approvals/$approvalId"
        params={{ approvalId: approval.id }}
        className="min-w-0 truncate font-medium after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
      >
        {approval.title}
      </Link>
      <span className="order-2 min-w-0 truncate text-xs text-soft md:order-none">asks {askedText(approval)}</span>
      <span className="order-2 text-right text-xs md:order-none md:text-left">{agreedText(approval)}</span>
      <span className="order-3 text-xs text-soft md:order-none" title={formatMoment(approval.createdAt)}>
        {formatRelative(approval.createdAt, now)}
      </span>
      <code className="order-3 text-right font-mono text-xs text-soft md:order-none md:text-left">
        {shortId(approval.run)}
      </code>
    </li>
  )
}

export function ApprovalLabel({ state, large = false }: { state: ApprovalState; large?: boolean }) {
  return (
    <span
      data-state={signOf[state]}
      className={`inline-flex items-center gap-1.5 font-medium text-(--state) ${large ? 'text-base' : ''}`}
    >
      <StateMark state={signOf[state]} size={large ? 17 : 14} />
      {state}
    </span>
  )
}

function Nothing({ state }: { state: ApprovalState | undefined }) {
  return (
    <EmptyState
      title={state ? `No question is ${state}` : 'Nobody is asked anything yet'}
      icon={<UserCheck size={28} aria-hidden />}
    >
      <p>
        A task with <code className="font-mono">call: approve:1.0.0@default</code> asks people before its run goes on,
        and stands here.
      </p>
    </EmptyState>
  )
}

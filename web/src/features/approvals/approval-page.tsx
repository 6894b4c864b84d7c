import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Link as LinkIcon, UserRoundPlus } from 'lucide-react'
import { useState } from 'react'
import { JsonView } from '~/components/json/json-view'
import { Button } from '~/components/ui/button'
import { Loading, ProblemView } from '~/components/ui/feedback'
import { PageHeader, Panel, Trail, usePageTitle } from '~/components/ui/page'
import { shortId } from '~/lib/ids'
import { formatMoment, formatRelative, useNow } from '~/lib/time'
import { agreedText, askedText, expiryText, type Approval, type Said } from './approval'
import { approvalQuery, type Way } from './api'
import { ApprovalLabel } from './approvals-page'
import { DecisionForm } from './decision-form'
import { DelegateDialog } from './delegate-dialog'
import { LinkDialog } from './link-dialog'

/** One question; with a link, only what whoever has it needs to decide. */
export function ApprovalPage({ way }: { way: Way }) {
  const found = useQuery(approvalQuery(way))
  usePageTitle(found.data?.title ?? 'Approval')
  if (found.isPending) return <Loading what="the question" />
  if (found.isError) return <ProblemView error={found.error} retry={() => void found.refetch()} />
  const approval = found.data
  return (
    <>
      <Header approval={approval} linked={'token' in way} />
      <div className="grid gap-px border-b border-line bg-line md:grid-cols-[minmax(0,1fr)_minmax(0,24rem)]">
        <div className="flex flex-col gap-px">
          <Panel title="What it is about">
            <JsonView value={approval.show} label="what it is about" />
            <p className="px-4 py-2 text-xs text-soft">
              The decision is bound to exactly this:{' '}
              <code className="font-mono break-all">sha-256 {approval.hash}</code>
            </p>
          </Panel>
          <Panel title="What people have said">
            {approval.decisions.length === 0 && <p className="px-4 py-3 text-soft">Nobody has said anything yet.</p>}
            <ul className="divide-y divide-line">
              {approval.decisions.map(said => (
                <SaidRow key={said.by} said={said} />
              ))}
            </ul>
          </Panel>
        </div>
        <Panel title="Decide" actions={'id' in way && approval.state === 'open' && <Others approval={approval} />}>
          {approval.state === 'open' ? (
            <DecisionForm approval={approval} way={way} />
          ) : (
            <p className="px-4 py-3 text-soft">It is {approval.state}; nothing is left to decide.</p>
          )}
        </Panel>
      </div>
    </>
  )
}

/** Ways to have somebody else decide. */
function Others({ approval }: { approval: Approval }) {
  const [open, setOpen] = useState<'delegate' | 'link' | null>(null)
  const close = () => setOpen(null)
  return (
    <>
      {approval.delegable && (
        <Button size="sm" onClick={() => setOpen('delegate')}>
          <UserRoundPlus size={13} aria-hidden /> Hand on a vote…
        </Button>
      )}
      <Button size="sm" onClick={() => setOpen('link')}>
        <LinkIcon size={13} aria-hidden /> Make a link…
      </Button>
      {open === 'delegate' && <DelegateDialog id={approval.id} onClose={close} />}
      {open === 'link' && <LinkDialog id={approval.id} onClose={close} />}
    </>
  )
}

function Header({ approval, linked }: { approval: Approval; linked: boolean }) {
  const now = useNow('slow')
  const { expiresAt, expiry } = approval
  return (
    <PageHeader
      trail={linked ? undefined : <Trail to="/approvals">Approvals</Trail>}
      title={approval.title}
      actions={<ApprovalLabel state={approval.state} large />}
    >
      {approval.description && <p className="max-w-prose whitespace-pre-line">{approval.description}</p>}
      <p className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-soft">
        <span>asks {askedText(approval)}</span>
        <span>{agreedText(approval)}</span>
        <span title={formatMoment(approval.createdAt)}>asked {formatRelative(approval.createdAt, now)}</span>
        {approval.reminders > 0 && <span>reminded {approval.reminders} times</span>}
        {approval.escalated && <span>escalated</span>}
        {expiresAt && (
          <span title={formatMoment(expiresAt)}>
            until {formatRelative(expiresAt, now)}, {expiryText[expiry ?? 'fail']}
          </span>
        )}
        {!linked && (
          <Link to="/runs/$runId" params={{ runId: approval.run }} className="font-mono text-accent hover:underline">
            run {shortId(approval.run)}
          </Link>
        )}
      </p>
    </PageHeader>
  )
}

function SaidRow({ said }: { said: Said }) {
  const now = useNow('slow')
  const words = { approve: 'agreed', reject: 'rejected it', delegate: `handed the vote to ${said.to}` }
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 px-4 py-2">
      <span className="font-medium break-all">{said.by}</span>
      <span>{words[said.decision]}</span>
      <span className="text-xs text-soft" title={formatMoment(said.at)}>
        {formatRelative(said.at, now)}
      </span>
      {said.comment && <p className="w-full break-words whitespace-pre-line text-soft">{said.comment}</p>}
      {said.form !== undefined && (
        <code className="w-full font-mono text-xs break-all">{JSON.stringify(said.form)}</code>
      )}
    </li>
  )
}

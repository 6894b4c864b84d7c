import type { Json, StepState } from '~/lib/api'

export type ApprovalState = 'open' | 'approved' | 'rejected' | 'expired' | 'cancelled'

/** What one person has said about a question. */
export interface Said {
  by: string
  decision: 'approve' | 'reject' | 'delegate'
  to?: string | null
  comment?: string | null
  form?: Json
  at: string
}

/** A question that a step asks people. */
export interface Approval {
  id: string
  run: string
  step: number
  state: ApprovalState
  title: string
  description?: string | null
  show: Json
  /** SHA-256 of what is shown: what the decision is bound to. */
  hash: string
  form?: Json
  approvers: { users: string[]; groups: string[] }
  quorum: number
  reject: 'any' | 'quorum'
  delegable: boolean
  reminders: number
  escalated: boolean
  createdAt: string
  escalatesAt?: string | null
  expiresAt?: string | null
  expiry?: 'fail' | 'reject' | 'approve' | null
  endedAt?: string | null
  decisions: Said[]
}

/** The sign under which a question stands. */
export const signOf: Record<ApprovalState, StepState> = {
  open: 'waiting',
  approved: 'completed',
  rejected: 'faulted',
  expired: 'suspended',
  cancelled: 'cancelled',
}

export function agreedText(approval: Approval): string {
  const agreed = approval.decisions.filter(d => d.decision === 'approve').length
  return `${agreed} of ${approval.quorum} agreed`
}

export function askedText({ approvers: { users, groups } }: Approval): string {
  const all = [...users, ...groups.map(g => `the group ${g}`)]
  return all.length === 0 ? 'anybody' : all.join(', ')
}

export const expiryText = { fail: 'then the step fails', reject: 'then it means no', approve: 'then it means yes' }

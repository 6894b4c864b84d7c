// @vitest-environment jsdom
import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { renderPage, serve } from '~/test-server'
import type { Approval } from './approval'
import { ApprovalPage } from './approval-page'
import { ApprovalsPage } from './approvals-page'

const asked: Approval = {
  id: 'a1',
  run: '019a0000-0000-7000-8000-000000000001',
  step: 1,
  state: 'open',
  title: 'Pay 5?',
  show: { amount: 5 },
  hash: 'ff00',
  form: { type: 'object', required: ['amount'], properties: { amount: { type: 'number', title: 'Amount' } } },
  approvers: { users: ['anna'], groups: ['heads'] },
  quorum: 2,
  reject: 'any',
  delegable: true,
  reminders: 0,
  escalated: false,
  createdAt: '2026-11-26T01:00:00Z',
  decisions: [{ by: 'cleo', decision: 'approve', comment: 'fine', at: '2026-11-26T01:01:00Z' }],
}

test('Questions are listed with whom they ask and how far they are', async () => {
  serve(() => ({ json: { items: [asked], next: null } }))
  renderPage(<ApprovalsPage />)
  const row = await screen.findByRole('listitem')
  expect(row).toHaveTextContent('Pay 5?')
  expect(row).toHaveTextContent('asks anna, the group heads')
  expect(row).toHaveTextContent('1 of 2 agreed')
})

test('A person says who they are, fills the form in and agrees to exactly what was shown', async () => {
  const log = serve(({ method }) => ({ json: method === 'POST' ? { ...asked, state: 'approved' } : asked }))
  renderPage(<ApprovalPage way={{ id: 'a1' }} />)
  await userEvent.click(await screen.findByRole('button', { name: 'Approve' }))
  expect(screen.getByText('Say who you are.')).toBeVisible()
  expect(screen.getByText('This value is required.')).toBeVisible()
  await userEvent.type(screen.getByLabelText(/Who you are/), 'anna')
  await userEvent.type(screen.getByLabelText(/Amount/), '7')
  await userEvent.type(screen.getByLabelText('Comment'), 'go on')
  await userEvent.click(screen.getByRole('button', { name: 'Approve' }))
  await waitFor(() => expect(log.some(a => a.method === 'POST')).toBe(true))
  const sent = log.find(a => a.method === 'POST')!
  expect(sent.path).toBe('/api/v1/approvals/a1/decisions')
  expect(JSON.parse(sent.body!)).toEqual({
    decision: 'approve',
    hash: 'ff00',
    by: 'anna',
    comment: 'go on',
    form: { amount: 7 },
  })
})

test('Whoever has a link need not say who they are, and a refusal is shown', async () => {
  const log = serve(({ method }) =>
    method === 'POST'
      ? { status: 409, json: { title: 'The question is not open any more.', code: 'approval.closed', status: 409 } }
      : { json: asked },
  )
  renderPage(<ApprovalPage way={{ token: 't' }} />)
  await userEvent.click(await screen.findByRole('button', { name: 'Reject' }))
  expect(await screen.findByRole('alert')).toHaveTextContent('not open any more')
  expect(log.find(a => a.method === 'POST')!.path).toBe('/api/v1/approvals/link/t')
  expect(screen.queryByLabelText(/Who you are/)).toBeNull()
})

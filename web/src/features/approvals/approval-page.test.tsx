// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react'
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

test('A vote is handed on, but not to whoever has it', async () => {
  const log = serve(() => ({ json: asked }))
  renderPage(<ApprovalPage way={{ id: 'a1' }} />)
  await userEvent.click(await screen.findByRole('button', { name: 'Hand on a vote…' }))
  const dialog = screen.getByRole('dialog', { name: 'Hand on a vote', hidden: true })
  const fill = async (label: RegExp, text: string) => {
    await userEvent.clear(within(dialog).getByLabelText(label))
    await userEvent.click(within(dialog).getByLabelText(label))
    await userEvent.paste(text)
  }
  const hand = within(dialog).getByRole('button', { name: 'Hand it on', hidden: true })
  await fill(/Whose vote/, 'anna')
  await fill(/Who decides instead/, 'anna')
  await userEvent.click(hand)
  expect(within(dialog).getByText('Nobody hands a vote to themselves.')).toBeInTheDocument()
  await fill(/Who decides instead/, 'bert')
  await userEvent.click(hand)
  expect(await screen.findByText('bert has the vote of anna now.')).toBeVisible()
  const sent = log.find(a => a.method === 'POST')!
  expect([sent.path, sent.body]).toEqual(['/api/v1/approvals/a1/delegation', '{"by":"anna","to":"bert"}'])
})

test('A link is made in the name of somebody and shown this once', async () => {
  const log = serve(({ method }) => ({
    json: method === 'POST' ? { token: 't0', url: '/x', page: '/approvals/link/t0', for: 'bert' } : asked,
  }))
  renderPage(<ApprovalPage way={{ id: 'a1' }} />)
  await userEvent.click(await screen.findByRole('button', { name: 'Make a link…' }))
  const make = screen.getByRole('button', { name: 'Make the link', hidden: true })
  await userEvent.click(make)
  expect(screen.getByText('Say in whose name it decides.')).toBeInTheDocument()
  await userEvent.click(screen.getByLabelText(/For whom/))
  await userEvent.paste('bert')
  await userEvent.click(make)
  const made = await screen.findByRole('dialog', { name: 'The link for bert', hidden: true })
  expect(made).toHaveTextContent(`${location.origin}/approvals/link/t0`)
  expect(log.find(a => a.method === 'POST')).toMatchObject({
    path: '/api/v1/approvals/a1/links',
    body: '{"for":"bert"}',
  })
})

test('Who has a link, and a question that nobody may hand on, have fewer ways', async () => {
  serve(() => ({ json: { ...asked, delegable: false } }))
  const { unmount } = renderPage(<ApprovalPage way={{ id: 'a1' }} />)
  expect(await screen.findByRole('button', { name: 'Make a link…' })).toBeVisible()
  expect(screen.queryByRole('button', { name: 'Hand on a vote…' })).toBeNull()
  unmount()
  renderPage(<ApprovalPage way={{ token: 't' }} />)
  expect(await screen.findByRole('button', { name: 'Approve' })).toBeVisible()
  expect(screen.queryByRole('button', { name: 'Make a link…' })).toBeNull()
})

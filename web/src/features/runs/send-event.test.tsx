// @vitest-environment jsdom
import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test } from 'vitest'
import { renderPage, serve } from '~/test-server'
import { SendEvent } from './send-event'

const run = '019a0000-0000-7000-8000-000000000001'
const signals = `/api/v1/runs/${run}/signals`

async function open(wanted: { type?: string; source?: string }[]) {
  renderPage(<SendEvent run={run} wanted={wanted} />)
  await userEvent.click(await screen.findByRole('button', { name: 'send a signal' }))
}

const send = () => userEvent.click(screen.getByRole('button', { name: 'Send' }))

describe('Sending by hand what a run waits for', () => {
  test('is a signal that this run alone hears', async () => {
    const asked = serve(() => ({ status: 202, json: { run, position: 1 } }))
    await open([{ type: 'order.paid' }])
    expect(screen.getByLabelText(/^Type/)).toHaveValue('order.paid')
    expect(screen.queryByLabelText(/^Source/)).toBeNull()
    await userEvent.clear(screen.getByLabelText('Data'))
    await userEvent.type(screen.getByLabelText('Data'), '17')
    await send()
    expect(await screen.findByText('The signal is sent.')).toBeInTheDocument()
    expect(asked).toHaveLength(1)
    expect([asked[0]!.path, JSON.parse(asked[0]!.body!)]).toEqual([signals, { name: 'order.paid', data: 17 }])
  })

  test('is an event for every run when that is wanted', async () => {
    const asked = serve(() => ({ status: 202, json: { kept: 1, duplicates: 0, items: [] } }))
    await open([{ type: 'order.paid' }])
    await userEvent.click(screen.getByLabelText('Every run of the workspace that listens for it'))
    await send()
    expect(await screen.findByText('The event is sent.')).toBeInTheDocument()
    expect(asked.map(a => a.path)).toEqual(['/api/v1/events'])
    expect(JSON.parse(asked[0]!.body!)).toMatchObject({ type: 'order.paid', source: '/millrace/page', data: {} })
  })

  test('cannot be a signal where the run asks for the source of an event', async () => {
    serve(() => undefined)
    await open([{ type: 'order.paid', source: '/shop' }])
    expect(screen.getByLabelText('This run alone')).toBeDisabled()
    expect(screen.getByLabelText(/^Source/)).toHaveValue('/shop')
  })

  test('keeps its key while the same is sent again, and shows why it was refused', async () => {
    const refusal = { title: 'The run has ended.', status: 409, code: 'run.already_finished' }
    const asked = serve(() => ({ status: 409, json: refusal }))
    await open([{ type: 'order.paid' }])
    await send()
    expect(await screen.findByText('The run has ended.')).toBeInTheDocument()
    await send()
    await userEvent.clear(screen.getByLabelText('Data'))
    await send()
    const keys = asked.map(a => a.headers['idempotency-key'])
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).not.toBe(keys[0])
  })
})

// @vitest-environment jsdom
import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test } from 'vitest'
import { renderPage, serve } from '~/test-server'
import { runOf } from '~/test-data'
import { StartRunDialog } from './start-run-dialog'

const definition = {
  namespace: 'tests',
  name: 'greet',
  version: '1.0.0',
  inputSchema: {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string' }, count: { type: 'integer' } },
  },
}
const refusal = {
  status: 422,
  json: {
    title: 'The input does not fit the schema.',
    status: 422,
    code: 'run.input_invalid',
    errors: [{ pointer: '/name', message: 'Too short.' }],
  },
}
const open = (more: object = {}) => renderPage(<StartRunDialog definition={definition} onClose={() => {}} {...more} />)
const submit = () => userEvent.click(screen.getByRole('button', { name: 'Start run' }))

describe('The dialog that starts a run', () => {
  test('asks nothing of the server while a required value is missing', async () => {
    const asked = serve(() => ({ status: 201, json: runOf() }))
    open()
    await screen.findByRole('dialog')
    await submit()
    expect(screen.getByLabelText(/^name/)).toHaveAccessibleDescription('This value is required.')
    expect(asked).toHaveLength(0)
  })

  test('sends the input with a key and leads to the run', async () => {
    const asked = serve(() => ({ status: 201, json: runOf() }))
    open()
    await userEvent.type(await screen.findByLabelText(/^name/), 'Ada')
    await userEvent.type(screen.getByLabelText('count'), '3')
    await submit()
    expect(await screen.findByText(`at runs/${runOf().id}`)).toBeInTheDocument()
    expect(JSON.parse(asked[0]!.body!)).toEqual({
      definition: { namespace: 'tests', name: 'greet', version: '1.0.0' },
      input: { name: 'Ada', count: 3 },
    })
    expect(asked[0]!.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('shows a refusal at its field and takes a new key for the corrected input', async () => {
    let tries = 0
    const asked = serve(() => (++tries === 1 ? refusal : { status: 201, json: runOf() }))
    open()
    const name = await screen.findByLabelText(/^name/)
    await userEvent.type(name, 'A')
    await submit()
    expect(await screen.findByText('Too short.')).toBeInTheDocument()
    expect(name).toHaveAccessibleDescription('Too short.')
    await userEvent.type(name, 'da')
    await submit()
    await screen.findByText(`at runs/${runOf().id}`)
    expect(asked[0]!.headers['idempotency-key']).not.toBe(asked[1]!.headers['idempotency-key'])
  })

  test('keeps its key when the same input is sent again after no answer came', async () => {
    let tries = 0
    const asked = serve(() => {
      if (++tries === 1) throw new TypeError('Failed to fetch')
      return { status: 200, json: runOf() }
    })
    open()
    await userEvent.type(await screen.findByLabelText(/^name/), 'Ada')
    await submit()
    expect(await screen.findByRole('alert')).toHaveTextContent('The server cannot be reached.')
    await submit()
    await screen.findByText(`at runs/${runOf().id}`)
    expect(asked[0]!.headers['idempotency-key']).toBe(asked[1]!.headers['idempotency-key'])
  })

  test('offers JSON for a schema that no form expresses, and says where it is broken', async () => {
    const asked = serve(() => ({ status: 201, json: runOf() }))
    open({ definition: { ...definition, inputSchema: null } })
    await userEvent.type(await screen.findByLabelText('Input'), '{{"a": oops}')
    await submit()
    expect(screen.getByLabelText('Input')).toHaveAccessibleDescription(/line 1, column 7/)
    expect(asked).toHaveLength(0)
  })

  test('carries values over between form and JSON', async () => {
    serve(() => undefined)
    open({ input: { name: 'Ada', count: 2 } })
    expect(await screen.findByLabelText(/^name/)).toHaveValue('Ada')
    await userEvent.click(screen.getByRole('button', { name: 'As JSON' }))
    expect(JSON.parse((screen.getByLabelText('Input') as HTMLTextAreaElement).value)).toEqual({ name: 'Ada', count: 2 })
    await userEvent.click(screen.getByRole('button', { name: 'As form' }))
    expect(screen.getByLabelText('count')).toHaveValue('2')
  })
})

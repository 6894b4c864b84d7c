import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { APIRequestContext } from '@playwright/test'
import { expect, expectAccessible, expectToFit, test } from './journey'

/** An address that events are sent to: remembers their types, and takes them or not. */
class Receiver {
  readonly types: string[] = []
  status = 204
  #server: Server | undefined

  async listen(): Promise<string> {
    this.#server = createServer((request, response) => {
      let text = ''
      request.on('data', (part: Buffer) => (text += part.toString()))
      request.on('end', () => {
        this.types.push((JSON.parse(text) as { type: string }).type)
        response.writeHead(this.status).end()
      })
    })
    await new Promise<void>(resolve => this.#server!.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  close(): void {
    this.#server?.closeAllConnections()
    this.#server?.close()
  }
}

async function emit(request: APIRequestContext, type: string): Promise<void> {
  const event = { specversion: '1.0', id: randomUUID(), source: '/journeys', type, data: { n: 1 } }
  const answer = await request.post('/api/v1/events', {
    headers: { 'content-type': 'application/cloudevents+json' },
    data: JSON.stringify(event),
  })
  expect(answer.status(), await answer.text()).toBe(202)
}

const newName = () => `sink-${randomUUID().slice(0, 8)}`

// The page asks every three seconds how far deliveries have come.
test.setTimeout(90_000)

test('A sink is added, tested, changed and removed', async ({ page, request }) => {
  const receiver = new Receiver()
  const address = await receiver.listen()
  const name = newName()
  try {
    await page.goto('/sinks')
    await page.getByRole('button', { name: 'Add a sink' }).click()
    const add = page.getByRole('dialog', { name: 'Add a sink' })
    await add.getByLabel('Name').fill(name)
    await add.getByLabel('Address').fill('ops.example.com')
    await add.getByRole('button', { name: 'Add', exact: true }).click()
    await expect(add.getByText('An address begins with http:// or https://.')).toBeVisible()
    await expectAccessible(page)
    await add.getByLabel('Address').fill(address)
    await add.getByLabel('Types').fill(`${name}.*`)
    await add.getByRole('button', { name: 'Add', exact: true }).click()
    const row = page.getByRole('row', { name })
    await expect(row).toContainText('active')

    await row.getByRole('button', { name: `Test ${name}` }).click()
    await expect(page.getByText(`${name} took the test event (204).`)).toBeVisible()
    await emit(request, `${name}.first`)
    await expect(row).toContainText('1 delivered')
    expect(receiver.types).toEqual(['io.millrace.sink.test.v1', `${name}.first`])

    await row.getByRole('button', { name: `Edit ${name}` }).click()
    const edit = page.getByRole('dialog', { name: `Edit ${name}` })
    await expect(edit.getByLabel('Give up after')).toHaveValue('3')
    await edit.getByLabel('Types').fill('other.*')
    await edit.getByRole('button', { name: 'Save' }).click()
    await expect(row).toContainText('other.*')

    await row.getByRole('button', { name: `Remove ${name}` }).click()
    await page.getByRole('button', { name: 'Remove the sink' }).click()
    await expect(row).toBeHidden()
  } finally {
    receiver.close()
  }
})

test('A sink that fails says why and when it is tried again; paused and resumed it goes on where it stood', async ({
  page,
  request,
}) => {
  const receiver = new Receiver()
  const name = newName()
  const made = await request.post('/api/v1/sinks', { data: { name, url: await receiver.listen(), types: [name] } })
  const { id } = (await made.json()) as { id: string }
  try {
    receiver.status = 503
    await emit(request, name)
    await page.goto('/sinks')
    const row = page.getByRole('row', { name })
    await expect(row).toContainText('failing')
    await expect(row).toContainText(/It answered 503.*The next comes/)
    await expectAccessible(page)
    await row.getByRole('button', { name: `Pause ${name}` }).click()
    await expect(row).toContainText('paused')
    await expect(row).toContainText('1 behind')
    receiver.status = 204
    await page.setViewportSize({ width: 390, height: 844 })
    await row.getByRole('button', { name: `Resume ${name}` }).click()
    await expect(row).toContainText('1 delivered')
    await expectToFit(page)
  } finally {
    receiver.close()
    await request.delete(`/api/v1/sinks/${id}`)
  }
})

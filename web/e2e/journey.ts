import { AxeBuilder } from '@axe-core/playwright'
import { expect, test as base, type APIRequestContext, type Page } from '@playwright/test'
import { randomUUID } from 'node:crypto'

export { expect }

/** Every journey also holds that no script fails and that nothing is asked of another host. */
export const test = base.extend({
  page: async ({ page, baseURL }, use) => {
    const faults: string[] = []
    page.on('pageerror', error => faults.push(error.message))
    page.on('request', request => {
      if (!request.url().startsWith(baseURL!) && !/^(data|blob):/.test(request.url())) faults.push(request.url())
    })
    await use(page)
    expect(faults).toEqual([])
  },
})

export interface Pushed {
  namespace: string
  name: string
  version: string
}

/** Pushes a definition under a name of its own, so that journeys do not meet on a server that remembers. */
export async function push(request: APIRequestContext, stem: string, body: string, version = '1.0.0'): Promise<Pushed> {
  const name = `${stem}-${randomUUID().slice(0, 8)}`
  await pushVersion(request, { namespace: 'journeys', name, version }, body)
  return { namespace: 'journeys', name, version }
}

export async function pushVersion(request: APIRequestContext, of: Pushed, body: string): Promise<void> {
  const answer = await request.post('/api/v1/definitions', {
    headers: { 'content-type': 'application/yaml' },
    data: documentOf(of, body),
  })
  expect(answer.status(), await answer.text()).toBe(201)
}

export function documentOf({ namespace, name, version }: Pushed, body: string): string {
  return `document:
  dsl: '1.0.3'
  namespace: ${namespace}
  name: ${name}
  version: '${version}'
${body}`
}

export async function start(request: APIRequestContext, definition: Pushed, input: unknown = {}): Promise<string> {
  const answer = await request.post('/api/v1/runs', { data: { definition, input } })
  expect(answer.status(), await answer.text()).toBe(201)
  return ((await answer.json()) as { id: string }).id
}

export const stateOf = (page: Page) => page.getByRole('status', { name: 'State of the run' })

/** Nothing sticks out to the side: neither the page nor the room in it, which scrolls by itself, scrolls sideways. */
export async function expectToFit(page: Page): Promise<void> {
  const over = await page.evaluate(() =>
    [document.documentElement, document.querySelector('main')!].map(e => e.scrollWidth - e.clientWidth),
  )
  expect(over).toEqual([0, 0])
}

/** WCAG 2.2 AA as far as a machine can tell. */
export async function expectAccessible(page: Page) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze()
  const found = violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target.join(' ')} ${n.failureSummary ?? ''}`))
  expect(found).toEqual([])
}

/** What is pressed is large enough to be hit, and is called by what it shows. */
export async function expectNamed(page: Page): Promise<void> {
  const found = await page.evaluate(() => {
    const plain = (text: string) => text.replace(/\s+/g, ' ').trim().toLowerCase()
    return [
      ...document.querySelectorAll<HTMLElement>('button, [role=switch], [role=tab], input[type=checkbox]'),
    ].flatMap(e => {
      const { width, height } = e.getBoundingClientRect()
      if (width === 0 || !e.checkVisibility()) return []
      // A label around a control is hit as well.
      const target = e.closest('label')?.getBoundingClientRect() ?? { width, height }
      const [shown, name] = [plain(e.innerText), e.getAttribute('aria-label')]
      const what = `${name ?? shown}: `
      return [
        ...(target.width < 24 || target.height < 24 ? [`${what}${target.width} x ${target.height}`] : []),
        ...(name && shown && !plain(name).includes(shown) ? [`${what}shows ${shown}`] : []),
      ]
    })
  })
  expect(found).toEqual([])
}

/** Sends an event of a type; answers its position. */
export async function send(request: APIRequestContext, type: string, data: unknown = { n: 1 }): Promise<number> {
  const event = { specversion: '1.0', id: randomUUID(), source: '/journeys', type, data }
  const answer = await request.post('/api/v1/events', {
    headers: { 'content-type': 'application/cloudevents+json' },
    data: JSON.stringify(event),
  })
  expect(answer.status(), await answer.text()).toBe(202)
  return ((await answer.json()) as { items: { position: number }[] }).items[0]!.position
}

export const greeting = `input:
  schema:
    document:
      type: object
      required: [name]
      properties:
        name:
          type: string
          title: Name
          pattern: '^[A-Z]'
        count:
          type: integer
          minimum: 1
do:
  - compose:
      set:
        text: Hello \${ .name }!
  - pause:
      wait:
        milliseconds: 600
  - finish:
      set:
        said: \${ .text }
`

export const longWait = `do:
  - before:
      set:
        ready: true
  - rest:
      wait:
        minutes: 10
`

import { randomUUID } from 'node:crypto'
import { expect, expectAccessible, expectNamed, expectToFit, push, send, start, stateOf, test } from './journey'

const own = (stem: string) => `${stem}.${randomUUID().slice(0, 8)}`

const startedBy = (type: string) => `schedule:
  on:
    one:
      with:
        type: ${type}
do:
  - note:
      set:
        done: true
`

const hears = (type: string) => `do:
  - hear:
      listen:
        to:
          one:
            with:
              type: ${type}
`

// The page asks every three seconds what has come.
test.setTimeout(90_000)

test('An event is sent by hand; it starts one run, wakes another, and says so', async ({ page, request }) => {
  const type = own('order.paid')
  const triggered = await push(request, 'by-event', startedBy(type))
  const waiting = await push(request, 'by-hearing', hears(type))
  const listener = await start(request, waiting)
  await page.goto(`/runs/${listener}`)
  await expect(stateOf(page)).toHaveText('waiting')

  await page.goto('/events')
  await page.getByRole('button', { name: 'Send an event' }).click()
  const dialog = page.getByRole('dialog', { name: 'Send an event' })
  await dialog.getByLabel('Type').fill(type)
  await dialog.getByLabel('Subject').fill('order 17')
  await dialog.getByLabel('Data').fill('{"order": 17}')
  await expectAccessible(page)
  await expectNamed(page)
  await dialog.getByRole('button', { name: 'Send', exact: true }).click()

  await expect(page.getByRole('heading', { name: type })).toBeVisible()
  await expect(page.getByRole('region', { name: 'event' })).toContainText('order 17')
  const heard = page.getByRole('list', { name: 'Who heard it' })
  const begun = heard.getByRole('link').filter({ hasText: triggered.name })
  await expect(begun).toContainText('started by it')
  await expect(heard.getByRole('link').filter({ hasText: waiting.name })).toContainText('listened')
  await expectAccessible(page)
  await expectNamed(page)

  await begun.click()
  await expect(stateOf(page)).toHaveText('completed')
  await page.getByRole('link', { name: `started by ${type}` }).click()
  await page.getByRole('link', { name: 'events of this type' }).click()
  await expect(page.getByRole('row')).toHaveCount(2)
  await page.getByRole('button', { name: 'All events' }).click()
  await page.getByLabel('Type').fill(own('nobody.sent'))
  await page.getByRole('button', { name: 'Filter' }).click()
  await expect(page.getByText('No event matches the filter')).toBeVisible()
})

test('What events start is paused on the schedules page and goes on from there', async ({ page, request }) => {
  const type = own('paused.on')
  const { name } = await push(request, 'trigger', startedBy(type))
  const runs = async () =>
    ((await (await request.get(`/api/v1/triggers/journeys/${name}`)).json()) as { runs: unknown[] }).runs.length
  await page.goto('/schedules')
  const row = page.getByRole('table', { name: 'Started by events' }).getByRole('row').filter({ hasText: name })
  await expect(row).toContainText(type)
  const active = row.getByRole('switch')
  await active.click()
  await expect(active).not.toBeChecked()
  await send(request, type)
  expect(await runs()).toBe(0)
  await active.click()
  await expect(active).toBeChecked()
  await send(request, type)
  expect(await runs()).toBe(1)
  await expect(row).toContainText('completed')
  await expectAccessible(page)
})

for (const scheme of ['light', 'dark'] as const)
  for (const width of [1440, 390])
    test(`Events fit at ${width} and are ${scheme}`, async ({ page, request }) => {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width, height: 900 })
      const type = own(`${'very.'.repeat(15)}long`)
      const position = await send(request, type, { text: 'x'.repeat(500) })
      for (const path of ['/events', `/events/${position}`, '/schedules']) {
        await page.goto(path)
        await expect(page.getByRole('heading').first()).toBeVisible()
        if (path !== '/schedules') await expect(page.getByText(type).first()).toBeVisible()
        await expectToFit(page)
        await expectAccessible(page)
        await expectNamed(page)
      }
    })

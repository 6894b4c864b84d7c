import type { APIRequestContext, Page } from '@playwright/test'
import { expect, expectAccessible, expectToFit, push, start, stateOf, test } from './journey'

const booking = `do:
  - book:
      set:
        booked: true
      metadata:
        compensate:
          - unbook:
              set:
                booked: false
  - rest:
      wait:
        minutes: 10
`

const asking = `do:
  - ask:
      call: approve:1.0.0@default
      with:
        title: Pay \${ .amount } to Acme?
        show: \${ .amount }
        approvers: { users: [anna] }
`

const hourly = `schedule:
  cron: 0 * * * *
do:
  - note:
      set:
        done: true
`

const narrow = `  metadata:
    flow:
      concurrency:
        limit: 1
        counts: unfinished
do:
  - rest:
      wait:
        minutes: 10
`

const failing = `  metadata:
    deadLetter: true
do:
  - fail:
      raise:
        error:
          type: https://example.com/broken
          status: 500
          title: It broke
`

// Each looks through several rooms and dialogs in full.
test.setTimeout(120_000)

async function cancel(page: Page, cleanUp: boolean): Promise<void> {
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Cancel this run?' })
  await expect(dialog.getByText(/completed steps .* are undone, the last one first/)).toBeVisible()
  if (!cleanUp) {
    await dialog.getByLabel('Clean up').uncheck()
    await expect(dialog.getByText(/Nothing is undone/)).toBeVisible()
  }
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Cancel the run' }).click()
  await expect(stateOf(page)).toHaveText('cancelled')
}

test('A cancelled run undoes what it did, unless it is told not to, and says which step undoes which', async ({
  page,
  request,
}) => {
  const definition = await push(request, 'undo', booking)
  await page.goto(`/runs/${await start(request, definition)}?tab=timeline`)
  await expect(stateOf(page)).toHaveText('waiting')
  await cancel(page, true)
  const undone = page.getByRole('treeitem', { name: /undo book.*undoes step/ })
  await undone.click()
  const panel = page.getByRole('complementary', { name: 'Step undo book' })
  await expectAccessible(page)
  await panel.getByRole('button', { name: /^undoes step/ }).click()
  await expect(page.getByRole('complementary', { name: 'Step book' })).toBeVisible()

  await page.goto(`/runs/${await start(request, definition)}?tab=timeline`)
  await expect(stateOf(page)).toHaveText('waiting')
  await cancel(page, false)
  await expect(page.getByRole('treeitem', { name: /book/ })).toHaveCount(1)
})

async function openQuestion(page: Page, request: APIRequestContext): Promise<string> {
  const id = await start(request, await push(request, 'handed', asking), { amount: 5 })
  await page.goto(`/runs/${id}`)
  await page.getByRole('link', { name: 'decide' }).click()
  await expect(page.getByRole('heading', { name: 'Pay 5 to Acme?' })).toBeVisible()
  return id
}

test('A vote is handed on, and a link lets its new owner decide', async ({ page, request }) => {
  const id = await openQuestion(page, request)
  await page.getByRole('button', { name: 'Hand on a vote…' }).click()
  const hand = page.getByRole('dialog', { name: 'Hand on a vote' })
  await hand.getByLabel('Whose vote').fill('anna')
  await hand.getByLabel('Who decides instead').fill('bert')
  await expectAccessible(page)
  await hand.getByRole('button', { name: 'Hand it on' }).click()
  await expect(page.getByRole('region', { name: 'What people have said' })).toContainText('handed the vote to bert')

  await page.getByRole('button', { name: 'Make a link…' }).click()
  await page.getByRole('dialog', { name: 'Make a link' }).getByLabel('For whom').fill('bert')
  await page.getByRole('button', { name: 'Make the link' }).click()
  const made = page.getByRole('dialog', { name: 'The link for bert' })
  await expectAccessible(page)
  const address = await made.getByText(/^http/).innerText()
  await page.goto(address)
  await page.getByRole('button', { name: 'Approve' }).click()
  await expect(page.getByText('It is approved; nothing is left to decide.')).toBeVisible()
  await page.goto(`/runs/${id}`)
  await expect(stateOf(page)).toHaveText('completed')
})

test('A schedule makes up for a time, each tick once', async ({ page, request }) => {
  const { namespace, name } = await push(request, 'filled', hourly)
  const hour = 3_600_000
  const from = Math.floor(Date.now() / hour) * hour - 24 * hour + hour / 2
  const fill = async () => {
    await page.getByRole('button', { name: 'Backfill…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Make up for a time' })
    for (const [label, time] of [
      ['From', from],
      ['To', from + 3 * hour],
    ] as const) {
      const local = await page.evaluate(t => new Date(t - new Date(t).getTimezoneOffset() * 60_000).toISOString(), time)
      await dialog.getByLabel(label).fill(local.slice(0, 16))
    }
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Start the runs' }).click()
  }
  await page.goto(`/schedules/${namespace}/${name}`)
  await fill()
  await expect(page.getByText('3 runs begin.')).toBeVisible()
  await fill()
  await expect(page.getByText('0 runs begin; 3 ticks had one already.')).toBeVisible()
})

test('Limits, weight and retention of the workspace are changed in its room', async ({ page, request }) => {
  const definition = await push(request, 'narrow', narrow)
  const name = `${definition.namespace}/${definition.name}`
  const runs = [await start(request, definition), await start(request, definition)]
  await page.goto('/workspace')
  const line = page.getByRole('list', { name: 'Limits' }).getByRole('listitem').filter({ hasText: name })
  await expect(line).toContainText('1 of 1 at work, 1 waiting')
  await line.getByLabel(`Limit of ${name}`).fill('2')
  await line.getByRole('button', { name: 'Change' }).click()
  await expect(line).toContainText('2 of 2 at work, 0 waiting')
  await line.getByRole('button', { name: 'As the documents say' }).click()
  await expect(line).toContainText('2 of 1 at work')

  const save = async (form: string, label: string, text: string) => {
    await page.getByRole('form', { name: form }).getByLabel(label).fill(text)
    await page.getByRole('form', { name: form }).getByRole('button', { name: /^Save/ }).click()
  }
  await save('Share and limit', 'Weight', '3')
  await expect(page.getByText('The workspace’s share and limit are changed.')).toBeVisible()
  await save('Retention', 'Faulted runs', 'soon')
  await expect(page.getByRole('form', { name: 'Retention' }).getByText(/Expected: P30D/)).toBeVisible()
  await expectAccessible(page)
  await save('Retention', 'Faulted runs', 'P30D')
  await expect(page.getByText('Runs that end from now on are kept for so long.')).toBeVisible()
  await page.reload()
  await expect(page.getByLabel('Weight')).toHaveValue('3')
  await expect(page.getByLabel('Faulted runs')).toHaveValue('P30D')

  for (const run of runs) await request.post(`/api/v1/runs/${run}/cancellation`)
  await request.put('/api/v1/limits/workspace', { data: { weight: 1, limit: null } })
  await request.put('/api/v1/retention', { data: { completed: null, faulted: null, cancelled: null } })
})

test('One dead letter is tried again, another forgotten', async ({ page, request }) => {
  const [first, second] = [await push(request, 'again', failing), await push(request, 'forgotten', failing)]
  const id = await start(request, first)
  await start(request, second)
  await page.goto('/workspace')
  const letters = page.getByRole('list', { name: 'Dead letters' }).getByRole('listitem')
  const [one, other] = [letters.filter({ hasText: first.name }), letters.filter({ hasText: second.name })]
  await expect(other).toContainText('It broke')
  await other.getByRole('button', { name: /^Forget/ }).click()
  await expectAccessible(page)
  await page.getByRole('dialog').getByRole('button', { name: 'Forget', exact: true }).click()
  await expect(other).toHaveCount(0)
  await expect(one).toBeVisible()
  await one.getByRole('button', { name: /^Try/ }).click()
  // It goes on as a fork of the run, which faults as that one did.
  const forks = async () =>
    ((await (await request.get(`/api/v1/runs?forkOf=${id}`)).json()) as { items: unknown[] }).items
  await expect.poll(async () => (await forks()).length).toBe(1)
  await expect(page.getByRole('list', { name: 'Dead letters' })).toContainText(first.name)
})

for (const scheme of ['light', 'dark'] as const)
  for (const width of [1440, 390])
    test(`What is done by hand fits at ${width} and is ${scheme}`, async ({ page, request }) => {
      await page.emulateMedia({ colorScheme: scheme })
      await page.setViewportSize({ width, height: 900 })
      const shot = async (of: string) => {
        await expectToFit(page)
        await page.screenshot({ path: `test-results/${of}-${scheme}-${width}.png`, fullPage: true })
      }
      const limited = await push(request, `narrow-${'long-'.repeat(6)}name`, narrow)
      const runs = [await start(request, limited), await start(request, limited)]
      await start(request, await push(request, 'aside', failing))
      await page.goto('/workspace')
      await expect(page.getByRole('list', { name: 'Limits' })).toContainText(limited.name)
      await expect(page.getByRole('list', { name: 'Dead letters' }).getByRole('listitem').first()).toBeVisible()
      await expect(page.getByLabel('Faulted runs')).toBeVisible()
      await shot('workspace')
      await page.getByRole('button', { name: 'Set a limit…' }).click()
      await shot('workspace-set-limit')

      const undone = await start(request, await push(request, 'undo', booking))
      await page.goto(`/runs/${undone}?tab=timeline`)
      await expect(stateOf(page)).toHaveText('waiting')
      await page.getByRole('button', { name: 'Cancel', exact: true }).click()
      await shot('cancel')
      await page.getByRole('button', { name: 'Cancel the run' }).click()
      await page.getByRole('treeitem', { name: /undo book/ }).click()
      await expect(page.getByRole('button', { name: /^undoes step/ })).toBeVisible()
      await shot('undoes')

      runs.push(await openQuestion(page, request))
      await shot('question')
      await page.getByRole('button', { name: 'Hand on a vote…' }).click()
      await shot('question-hand-on')
      await page.getByRole('button', { name: 'Go back' }).click()
      await page.getByRole('button', { name: 'Make a link…' }).click()
      await page.getByLabel('For whom').fill('bert')
      await page.getByRole('button', { name: 'Make the link' }).click()
      await expect(page.getByRole('dialog', { name: 'The link for bert' })).toBeVisible()
      await shot('question-link')

      const { namespace, name } = await push(request, 'filled', hourly)
      await page.goto(`/schedules/${namespace}/${name}`)
      await page.getByRole('button', { name: 'Backfill…' }).click()
      await shot('backfill')
      for (const run of runs) await request.post(`/api/v1/runs/${run}/cancellation`)
    })

import {
  expect,
  expectAccessible,
  expectNamed,
  expectToFit,
  greeting,
  longWait,
  push,
  send,
  start,
  stateOf,
  test,
} from './journey'

const hourly = `schedule:
  every: PT1H
do:
  - note:
      set:
        done: true
`

const onEvent = `schedule:
  on:
    one:
      with:
        type: look.happened
do:
  - note:
      set:
        done: true
`

for (const scheme of ['light', 'dark'] as const) {
  test(`Every room meets WCAG 2.2 AA as far as a machine can tell, ${scheme}`, async ({ page, request }) => {
    // Some fifteen rooms, each looked through in full.
    test.setTimeout(240_000)
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    const definition = await push(request, 'look', greeting)
    const { namespace, name } = definition
    const id = await start(request, definition, { name: 'Ada' })
    const scheduled = await push(request, 'look-schedule', hourly)
    await push(request, 'look-trigger', onEvent)
    const sent = await send(request, 'look.happened')
    const open = await start(request, await push(request, 'look-wait', longWait))
    await page.goto(`/runs/${id}`)
    await expect(stateOf(page)).toHaveText('completed')
    await expectAccessible(page)
    for (const tab of ['timeline', 'data', 'live', 'artifacts', 'children', 'journal', 'source']) {
      await page.goto(`/runs/${id}?tab=${tab}&step=1`)
      await expect(page.getByRole('complementary', { name: /^Step/ })).toBeVisible()
      await expectAccessible(page)
    }
    await page.goto(`/runs/${open}`)
    await expect(stateOf(page)).toHaveText('waiting')
    await expectAccessible(page)
    for (const path of [
      '/runs',
      '/definitions',
      `/definitions/${namespace}/${name}`,
      '/definitions/new',
      '/schedules',
      `/schedules/${namespace}/${scheduled.name}`,
      '/approvals',
      '/events',
      `/events/${sent}`,
      '/sinks',
      '/workspace',
      '/nowhere',
    ]) {
      await page.goto(path)
      await expect(page.getByRole('main')).not.toBeEmpty()
      await page.waitForLoadState('load')
      await expectAccessible(page)
      await expectNamed(page)
    }
    await page.goto(`/definitions/${namespace}/${name}`)
    await page.getByRole('button', { name: 'Start run' }).click()
    await expect(page.getByRole('dialog')).toBeVisible()
    await expectAccessible(page)
    await request.post(`/api/v1/runs/${open}/cancellation`)
  })
}

test('The rooms fit a phone', async ({ page, request }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  // As long as names may be.
  const definition = await push(request, `phone-${'long-'.repeat(8)}name`, greeting)
  const { namespace, name } = definition
  const scheduled = await push(request, 'phone-schedule', hourly)
  await push(request, `phone-trigger-${'long-'.repeat(5)}name`, onEvent)
  const sent = await send(request, `look.${'long.'.repeat(20)}happened`)
  const id = await start(request, definition, { name: 'Ada' })
  await page.goto('/runs')
  await expect(page.getByRole('row').filter({ hasText: name })).toBeVisible()
  await expectToFit(page)
  await page.getByRole('navigation', { name: 'Rooms' }).getByRole('link', { name: 'Definitions' }).click()
  await expect(page.getByRole('heading', { name: 'Definitions' })).toBeVisible()
  await expectToFit(page)
  for (const path of [
    `/definitions/${namespace}/${name}?tab=source`,
    '/definitions/new',
    '/schedules',
    `/schedules/${namespace}/${scheduled.name}`,
    '/approvals',
    '/events',
    `/events/${sent}`,
    '/sinks',
    '/workspace',
    `/runs/${id}?step=1`,
    `/runs/${id}?tab=timeline&step=2`,
  ]) {
    await page.goto(path)
    await expect(page.getByRole('heading').first()).toBeVisible()
    await expectToFit(page)
  }
  const step = page.getByRole('complementary', { name: /^Step/ })
  await step.scrollIntoViewIfNeeded()
  const [timeline, panel] = [await page.getByRole('tabpanel').boundingBox(), await step.boundingBox()]
  expect(panel!.y).toBeGreaterThanOrEqual(timeline!.y + timeline!.height - 1)
})

test('The theme follows the system until one is chosen, and the choice stays', async ({ page }) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
  await page.emulateMedia({ colorScheme: 'light' })
  await page.goto('/runs')
  const light = await ground()
  await page.emulateMedia({ colorScheme: 'dark' })
  const dark = await ground()
  expect(dark).not.toBe(light)
  await page.getByRole('button', { name: /^Theme: system/ }).click()
  expect(await ground()).toBe(light)
  await page.reload()
  expect(await ground()).toBe(light)
  await page.getByRole('button', { name: /^Theme: light/ }).click()
  expect(await ground()).toBe(dark)
})

test('Nothing moves for those who asked for that', async ({ page, request }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const id = await start(request, await push(request, 'still', longWait))
  await page.goto(`/runs/${id}`)
  await expect(stateOf(page)).toHaveText('waiting')
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0)
  await request.post(`/api/v1/runs/${id}/cancellation`)
})

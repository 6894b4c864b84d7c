import { expect, expectAccessible, expectToFit, longWait, push, start, test } from './journey'

const failing = `do:
  - break:
      raise:
        error:
          type: https://example.com/errors/broken
          status: 500
          title: Broken
`

// Some waiting for runs of a server that may have much to do.
test.setTimeout(90_000)

test('All runs that a filter shows are cancelled at once', async ({ page, request }) => {
  const definition = await push(request, 'bulk', longWait)
  const name = `${definition.namespace}/${definition.name}`
  for (let i = 0; i < 3; i++) await start(request, definition)
  await page.goto(`/runs?definition=${encodeURIComponent(name)}&state=waiting`)
  await expect(page.getByRole('row').filter({ hasText: definition.name })).toHaveCount(3)
  await page.getByRole('button', { name: 'Many at once…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Many runs at once' })
  await expect(dialog).toContainText(`All runs of ${name} that are waiting`)
  await expectAccessible(page)
  await dialog.getByLabel('Reason').fill('Wrong prices.')
  await dialog.getByRole('button', { name: 'Cancel them all' }).click()
  await expect(page).toHaveURL(/\/runs\/bulk$/)
  const work = page.getByRole('listitem', { name: new RegExp(`^Cancel waiting runs of ${name}`) })
  await expect(work).toContainText('completed')
  await expect(work).toContainText('3 of 3 done')
  await expect(work).toContainText('Wrong prices.')
  await expectAccessible(page)
  await page.setViewportSize({ width: 390, height: 844 })
  await expectToFit(page)
  await page.goto(`/runs?definition=${encodeURIComponent(name)}&state=cancelled`)
  await expect(page.getByRole('row').filter({ hasText: 'Wrong prices.' })).toHaveCount(3)
})

test('Faulted runs are retried from the list', async ({ page, request }) => {
  const definition = await push(request, 'bulk-retry', failing)
  const name = `${definition.namespace}/${definition.name}`
  const id = await start(request, definition)
  await expect
    .poll(async () => ((await (await request.get(`/api/v1/runs/${id}`)).json()) as { state: string }).state)
    .toBe('faulted')
  await page.goto(`/runs?definition=${encodeURIComponent(name)}`)
  await page.getByRole('button', { name: 'Many at once…' }).click()
  await page.getByRole('button', { name: 'Retry them all' }).click()
  const work = page.getByRole('listitem', { name: new RegExp(`^Retry .* of ${name}`) })
  await expect(work).toContainText('1 of 1 done')
  await page.goto(`/runs?forkOf=${id}`)
  await expect(page.getByRole('row').filter({ hasText: definition.name })).toHaveCount(1)
})

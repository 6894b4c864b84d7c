import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, expectToFit, push, start, stateOf, test } from './journey'

test.skip(!process.env.BASE_URL, 'The fake keeps no journal that a run could go on from.')

const failing = `do:
  - first:
      set:
        n: 1
  - check:
      set:
        n: '\${ if .n == 1 then error("n is one") else .n end }'
  - last:
      set:
        text: 'n is \${ .n }'
`

async function look(page: Page, name: string) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze()
  expect(violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target.join(' ')} ${n.failureSummary ?? ''}`))).toEqual(
    [],
  )
  await expectToFit(page)
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` })
}

for (const [scheme, width] of [
  ['light', 1440],
  ['dark', 1440],
  ['light', 390],
  ['dark', 390],
] as const) {
  test(`A faulted run is retried with another input and compared with its source, ${scheme} at ${width}`, async ({
    page,
    request,
  }) => {
    test.setTimeout(90_000)
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 })
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    const id = await start(request, await push(request, 'retried', failing))
    const shot = (name: string) => look(page, `${name}-${scheme}-${width}`)
    await page.goto(`/runs/${id}`)
    await expect(stateOf(page)).toHaveText('faulted')
    await shot('faulted')

    await page.getByRole('button', { name: 'Retry', exact: true }).click()
    const retry = page.getByRole('dialog', { name: 'Retry this run' })
    await retry.getByRole('button', { name: 'Change the input' }).click()
    await retry.getByLabel('Input').fill('{"n": 5}')
    await retry.getByLabel('Reason').fill('five is better')
    await shot('retry')
    await retry.getByRole('button', { name: 'Retry', exact: true }).click()
    await expect(stateOf(page)).toHaveText('completed')
    await expect(page.getByRole('link', { name: /fork of/ })).toBeVisible()

    await page.getByRole('tab', { name: 'Past states' }).click()
    await page.getByRole('button', { name: 'The record before' }).click()
    await expect(page.getByRole('heading', { name: 'Context' })).toBeVisible()
    await shot('past')

    await page.getByRole('button', { name: 'Compare' }).click()
    const compare = page.getByRole('dialog', { name: 'Compare this run' })
    await expect(compare.getByLabel('With the run')).toHaveValue(id)
    await compare.getByRole('button', { name: 'Compare' }).click()
    await expect(page.getByRole('list', { name: 'Steps' })).toContainText('first difference')
    await shot('compare')

    await page.goto(`/runs/${id}?step=1`)
    await page.getByRole('button', { name: 'Fork from here' }).click()
    const fork = page.getByRole('dialog', { name: 'Fork this run' })
    await fork.getByRole('button', { name: 'Change the input' }).click()
    await expect(fork.getByLabel('Input')).toHaveValue('{}')
    await fork.getByRole('button', { name: 'Change the context' }).click()
    await fork.getByLabel('Context').fill('{"n": ')
    await fork.getByRole('button', { name: 'Fork', exact: true }).click()
    await expect(fork.getByLabel('Context')).toHaveAttribute('aria-invalid', 'true')
    await fork.getByLabel('Context').fill('{"n": 1}')
    await shot('fork')
    await fork.getByRole('button', { name: 'Fork', exact: true }).click()
    await expect(page.getByRole('link', { name: /fork of/ })).toContainText('step 1')
    await page.getByRole('tab', { name: 'Past states' }).click()
    await expect(page.getByRole('region', { name: 'context', exact: true })).toContainText('1')
    await expect(stateOf(page)).toHaveText('faulted')
  })
}

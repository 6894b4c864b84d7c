import { randomUUID } from 'node:crypto'
import type { Page } from '@playwright/test'
import { documentOf, expect, greeting, push, test } from './journey'

const broken = `do:
  - compose:
      sett:
        text: hello
  - jump:
      set:
        a: 1
      then: nowhere
`

async function type(page: Page, text: string) {
  const editor = page.getByRole('textbox', { name: 'Definition' })
  await editor.click()
  await page.keyboard.press('Control+a')
  await page.keyboard.insertText(text)
}

test('Problems are marked where they stand, and gone once corrected', async ({ page }) => {
  const of = { namespace: 'journeys', name: `written-${randomUUID().slice(0, 8)}`, version: '1.0.0' }
  await page.goto('/definitions/new')
  const findings = page.getByRole('region', { name: 'Findings' })
  await expect(findings.getByRole('status')).toContainText('No problems')

  await type(page, documentOf(of, broken))
  await expect(findings.getByRole('status')).toContainText(/\d errors?/)
  const first = findings.getByRole('list', { name: 'Problems' }).getByRole('button').first()
  await expect(first).toContainText('sett')
  await expect(first).toContainText(/8:\d+/)
  await expect(page.locator('.cm-lint-marker-error').first()).toBeVisible()
  await first.click()
  await expect(page.locator('.cm-activeLine')).toContainText('sett')

  // Pushing it anyway changes nothing.
  await page.getByRole('button', { name: 'Push' }).click()
  await expect(page).toHaveURL(/\/definitions\/new/)

  await type(page, documentOf(of, greeting))
  await expect(findings.getByRole('status')).toContainText('No problems')
  await page.getByRole('button', { name: 'Push' }).click()
  await expect(page).toHaveURL(new RegExp(`/definitions/journeys/${of.name}`))
  await expect(page.getByRole('button', { name: /^compose set/ })).toBeVisible()
})

test('A syntax error is marked', async ({ page }) => {
  await page.goto('/definitions/new')
  await type(page, 'document: {dsl: "1.0.3"\ndo: [')
  await expect(
    page.getByRole('region', { name: 'Findings' }).getByRole('list').getByRole('button').first(),
  ).toBeVisible()
})

test('A new version begins with the text of the last', async ({ page, request }) => {
  const { namespace, name } = await push(request, 'versions', greeting)
  await page.goto(`/definitions/${namespace}/${name}`)
  await page.getByRole('link', { name: 'Edit as new version' }).click()
  await expect(page.getByRole('textbox', { name: 'Definition' })).toContainText("version: '1.0.1'")
  await page.getByRole('button', { name: 'Push' }).click()
  await expect(page).toHaveURL(/version=1\.0\.1/)
  await page.getByRole('tab', { name: /Versions/ }).click()
  await page
    .getByRole('tabpanel')
    .getByRole('button', { name: /1\.0\.0/ })
    .click()
  await expect(page).toHaveURL(/version=1\.0\.0/)
})

test('A version that exists with another text is refused with the reason', async ({ page, request }) => {
  const of = await push(request, 'taken', greeting)
  await page.goto('/definitions/new')
  await type(page, documentOf(of, greeting.replace('Hello', 'Goodbye')))
  await page.getByRole('button', { name: 'Push' }).click()
  await expect(page.getByRole('alert')).toContainText('definition.version_exists')
})

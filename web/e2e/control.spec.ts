import { expect, longWait, push, start, stateOf, test } from './journey'

test('A run is suspended, resumed and cancelled with a reason', async ({ page, request }) => {
  const id = await start(request, await push(request, 'control', longWait))
  await page.goto(`/runs/${id}`)
  await expect(stateOf(page)).toHaveText('waiting')
  await expect(page.getByRole('region', { name: 'What it waits for' })).toContainText('/do/1/rest')

  await page.getByRole('button', { name: 'Suspend' }).click()
  const suspend = page.getByRole('dialog', { name: 'Suspend this run?' })
  await suspend.getByLabel('Reason').fill('Let me look first.')
  await suspend.getByRole('button', { name: 'Suspend the run' }).click()
  await expect(stateOf(page)).toHaveText('suspended')
  await expect(page.getByText('Let me look first.')).toBeVisible()

  await page.getByRole('button', { name: 'Resume' }).click()
  await expect(stateOf(page)).toHaveText('waiting')

  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
  const cancel = page.getByRole('dialog', { name: 'Cancel this run?' })
  await cancel.getByLabel('Reason').fill('Not needed any more.')
  await cancel.getByRole('button', { name: 'Cancel the run' }).click()
  await expect(stateOf(page)).toHaveText('cancelled')
  await expect(page.getByText('Not needed any more.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Cancel', exact: true })).toBeHidden()
  await expect(page.getByRole('button', { name: 'Start again' })).toBeVisible()
})

test('Going back leaves the run alone', async ({ page, request }) => {
  const id = await start(request, await push(request, 'alone', longWait))
  await page.goto(`/runs/${id}`)
  await expect(stateOf(page)).toHaveText('waiting')
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
  await page.getByRole('button', { name: 'Go back' }).click()
  await expect(page.getByRole('dialog')).toBeHidden()
  await expect(stateOf(page)).toHaveText('waiting')
  await request.post(`/api/v1/runs/${id}/cancellation`)
  await expect(stateOf(page)).toHaveText('cancelled')
})

test('A child run and its parent lead to each other', async ({ page, request }) => {
  const child = await push(request, 'child', `do:\n  - only:\n      set:\n        done: true\n`)
  const { namespace, name, version } = child
  const parent = await push(
    request,
    'parent',
    `do:
  - spawn:
      run:
        workflow:
          namespace: ${namespace}
          name: ${name}
          version: '${version}'
`,
  )
  const id = await start(request, parent)
  await page.goto(`/runs/${id}?tab=children`)
  await expect(stateOf(page)).toHaveText('completed')
  await page
    .getByRole('tabpanel')
    .getByRole('link', { name: new RegExp(name) })
    .click()
  await expect(page).not.toHaveURL(new RegExp(id))
  await page.getByRole('link', { name: /^child of/ }).click()
  await expect(page).toHaveURL(new RegExp(id))
  await expect(page.getByRole('complementary', { name: 'Step spawn' })).toBeVisible()
})

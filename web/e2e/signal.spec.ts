import { expect, expectAccessible, push, start, stateOf, test } from './journey'

test.skip(!process.env.BASE_URL, 'The fake knows no events.')

const listening = `do:
  - hear:
      listen:
        to:
          one:
            with:
              type: approved
`

test('A signal ends the wait of the run it is sent to, and of no other', async ({ page, request }) => {
  const definition = await push(request, 'signal', listening)
  const [told, other] = [await start(request, definition), await start(request, definition)]
  await page.goto(`/runs/${told}`)
  await page.getByRole('button', { name: 'send a signal', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Send a signal' })
  await expect(dialog.getByLabel('This run alone')).toBeChecked()
  await expectAccessible(page)
  await dialog.getByLabel('Data').fill('{"by": "ada"}')
  await dialog.getByRole('button', { name: 'Send' }).click()
  await expect(stateOf(page)).toHaveText('completed')
  await page.goto(`/runs/${other}`)
  await expect(stateOf(page)).toHaveText('waiting')
  await request.post(`/api/v1/runs/${other}/cancellation`)
})

const restful = `do:
  - rest:
      wait:
        seconds: 1
${listening.replace('do:\n', '')}`

test('A signal that is sent before the run listens is heard when it does', async ({ page, request }) => {
  const run = await start(request, await push(request, 'signal-early', restful))
  await request.post(`/api/v1/runs/${run}/suspension`)
  await page.goto(`/runs/${run}`)
  await expect(stateOf(page)).toHaveText('suspended')
  await page.getByRole('button', { name: 'Send a signal', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Send a signal' })
  await dialog.getByLabel('Type').fill('approved')
  await dialog.getByRole('button', { name: 'Send' }).click()
  await expect(dialog).toBeHidden()
  await page.getByRole('button', { name: 'Resume' }).click()
  await expect(stateOf(page)).toHaveText('completed')
  await expect(page.getByRole('button', { name: 'Send a signal', exact: true })).toBeHidden()
})

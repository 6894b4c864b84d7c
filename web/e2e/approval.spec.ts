import { expect, expectToFit, push, start, stateOf, test } from './journey'

const asking = `do:
  - ask:
      call: approve:1.0.0@default
      with:
        title: Pay \${ .amount } to Acme?
        description: The invoice of November.
        show: '\${ {to: "acme", amount: .amount} }'
        approvers: { users: [anna, bert], groups: [finance] }
        form:
          type: object
          required: [account]
          properties: { account: { type: string, title: Account } }
`

test('A person opens the question from the run, decides, and the run goes on', async ({ page, request }) => {
  const id = await start(request, await push(request, 'asks', asking), { amount: 5 })
  await page.goto(`/runs/${id}`)
  await expect(stateOf(page)).toHaveText('waiting')
  await page.getByRole('link', { name: 'decide' }).click()
  await expect(page).toHaveTitle('Pay 5 to Acme? · Millrace')
  await page.getByRole('button', { name: 'Approve' }).click()
  await expect(page.getByText('Say who you are.')).toBeVisible()
  await page.getByLabel(/Who you are/).fill('anna')
  await page.getByLabel(/Account/).fill('4711')
  await page.getByLabel('Comment').fill('As agreed.')
  await page.getByRole('button', { name: 'Approve' }).click()
  await expect(page.getByText('It is approved; nothing is left to decide.')).toBeVisible()
  await page.goto(`/runs/${id}`)
  await expect(stateOf(page)).toHaveText('completed')
})

test('A link is enough to decide', async ({ page, request }) => {
  const id = await start(request, await push(request, 'links', asking), { amount: 6 })
  let approval = ''
  await expect(async () => {
    const found = (await (await request.get(`/api/v1/approvals?run=${id}`)).json()) as { items: { id: string }[] }
    approval = found.items[0]!.id
  }).toPass()
  const link = (await (
    await request.post(`/api/v1/approvals/${approval}/links`, { data: { for: 'bert' } })
  ).json()) as { page: string }
  await page.goto(link.page)
  await page.getByLabel('Comment').fill('Too dear.')
  await page.getByRole('button', { name: 'Reject' }).click()
  await expect(page.getByText('It is rejected; nothing is left to decide.')).toBeVisible()
  await expect(page.getByRole('region', { name: 'What people have said' })).toContainText('bert')
  await page.goto(`/runs/${id}`)
  await expect(stateOf(page)).toHaveText('faulted')
})

for (const scheme of ['light', 'dark'] as const)
  for (const width of [1440, 390])
    test(`The room fits at ${width} and is ${scheme}`, async ({ page, request }) => {
      await page.emulateMedia({ colorScheme: scheme })
      await page.setViewportSize({ width, height: 900 })
      const id = await start(request, await push(request, 'room', asking), { amount: 7 })
      await page.goto('/approvals?state=open')
      await expect(page.getByRole('listitem').first()).toBeVisible()
      await expectToFit(page)
      await page.screenshot({ path: `test-results/approvals-${scheme}-${width}.png` })
      await page.getByRole('link', { name: 'Pay 7 to Acme?' }).first().click()
      await expect(page.getByRole('button', { name: 'Approve' })).toBeVisible()
      await expectToFit(page)
      await page.screenshot({ path: `test-results/approval-${scheme}-${width}.png`, fullPage: true })
      await request.post(`/api/v1/runs/${id}/cancellation`)
    })

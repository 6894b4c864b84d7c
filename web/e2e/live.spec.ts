import { expect, greeting, longWait, push, start, stateOf, test } from './journey'

test('The list shows runs of others as they come and go', async ({ page, request }) => {
  const definition = await push(request, 'list', longWait)
  const { namespace, name } = definition
  await page.goto(`/runs?definition=${namespace}/${name}`)
  await expect(page.getByText('No run matches the filter')).toBeVisible()
  await expect(page.getByRole('status').filter({ hasText: 'live' })).toBeVisible()

  const id = await start(request, definition)
  const row = page.getByRole('row').filter({ hasText: name })
  await expect(row).toContainText('waiting')
  await request.post(`/api/v1/runs/${id}/cancellation`, { data: { reason: 'By somebody else.' } })
  await expect(row).toContainText('cancelled')
  await expect(row).toContainText('By somebody else.')
})

test('Filters stand in the address and survive a reload', async ({ page, request }) => {
  const definition = await push(request, 'filter', greeting)
  const { namespace, name } = definition
  const id = await start(request, definition, { name: 'Ada' })
  await page.goto(`/runs?definition=${namespace}/${name}`)
  const row = page.getByRole('row').filter({ hasText: name })
  await expect(row).toContainText('completed')
  await page
    .getByRole('group', { name: 'Filter by state' })
    .getByRole('button', { name: /^faulted/ })
    .click()
  await expect(page).toHaveURL(/state=faulted/)
  await expect(row).toHaveCount(0)
  await page.reload()
  await expect(page.getByText('No run matches the filter')).toBeVisible()
  await page.getByRole('button', { name: /^completed/ }).click()
  await expect(row).toHaveCount(1)
  await row.getByRole('link').click()
  await expect(page).toHaveURL(new RegExp(id))
})

test('A run that goes on is followed without a reload', async ({ page, request }) => {
  const definition = await push(
    request,
    'follow',
    `do:
  - first:
      wait:
        seconds: 4
  - second:
      wait:
        seconds: 2
`,
  )
  const id = await start(request, definition)
  await page.goto(`/runs/${id}?tab=timeline`)
  await expect(page.getByRole('treeitem', { name: /waiting first/ })).toBeVisible()
  await expect(page.getByRole('treeitem', { name: /waiting second/ })).toBeVisible()
  await expect(stateOf(page)).toHaveText('completed')
  await expect(page.getByRole('treeitem', { name: /completed/ })).toHaveCount(2)
})

test('Iterations are counted on the graph and each opens', async ({ page, request }) => {
  const definition = await push(
    request,
    'loop',
    `do:
  - loop:
      for:
        each: item
        in: \${ .items }
      do:
        - note:
            set:
              last: \${ $item }
`,
  )
  const id = await start(request, definition, { items: [1, 2, 3] })
  await page.goto(`/runs/${id}`)
  await expect(stateOf(page)).toHaveText('completed')
  await page.getByRole('button', { name: 'note set completed, 3 times' }).click()
  await expect(page.getByRole('complementary', { name: 'Step note' })).toContainText('iteration 2')
  await page.getByRole('tab', { name: 'Source' }).click()
  await expect(page.getByRole('tabpanel')).toContainText('in: ${ .items }')
  await page.getByRole('tab', { name: /Journal/ }).click()
  await expect(page.getByRole('list', { name: 'Records' }).getByRole('listitem').first()).toBeVisible()
})

test('What a step prints appears while it works', async ({ page, request }) => {
  const definition = await push(
    request,
    'print',
    `do:
  - settle:
      wait:
        seconds: 4
  - print:
      run:
        shell:
          command: |
            echo from-the-shell
            sleep 1
`,
  )
  const id = await start(request, definition)
  await page.goto(`/runs/${id}?tab=live`)
  await expect(page.getByText('No live output')).toBeVisible()
  const log = page.getByRole('log', { name: 'Live output' })
  await expect(log).toContainText('from-the-shell')
  await log.getByRole('button', { name: 'print' }).click()
  await expect(page.getByRole('complementary', { name: 'Step print' })).toBeVisible()
})

import { expect, push, start, stateOf, test } from './journey'

const failing = `do:
  - collect:
      set:
        total: 3
  - convert:
      set:
        # The rate comes as text.
        rate: \${ .rate | tonumber }
`

const raising = `do:
  - refuse:
      raise:
        error:
          type: https://journeys.example/errors/out-of-stock
          status: 409
          title: Out of stock
          detail: No bolt is left.
`

const retrying = `do:
  - attempt:
      try:
        - risky:
            raise:
              error:
                type: https://journeys.example/errors/flaky
                status: 503
                title: Not now
      catch:
        errors:
          with:
            status: 503
        retry:
          delay:
            milliseconds: 200
          limit:
            attempt:
              count: 2
        do:
          - giveUp:
              set:
                outcome: gave up
`

test('A failed expression is explained with its line', async ({ page, request }) => {
  const id = await start(request, await push(request, 'expression', failing), { rate: null })
  await page.goto(`/runs/${id}`)
  await expect(stateOf(page)).toHaveText('faulted')
  const why = page.getByRole('region', { name: 'Why it failed' })
  await expect(why).toContainText('/do/1/convert')
  await expect(why).toContainText('.rate | tonumber')
  await expect(why.getByRole('note', { name: /^error at line (10|13)$/ })).toBeVisible()
  await why.getByRole('button', { name: /^Show line \d+ in the source/ }).click()
  await expect(page.getByRole('tabpanel').getByRole('note', { name: /^error at line/ })).toBeInViewport()
})

test('An error that the workflow raises tells type, status and task', async ({ page, request }) => {
  const id = await start(request, await push(request, 'raise', raising))
  await page.goto(`/runs/${id}`)
  const why = page.getByRole('region', { name: 'Why it failed' })
  await expect(why.getByRole('heading', { name: 'Out of stock' })).toBeVisible()
  await expect(why).toContainText('out-of-stock')
  await expect(why).toContainText('409')
  await expect(why).toContainText('No bolt is left.')
  await why.getByRole('button', { name: 'Show the step' }).click()
  const step = page.getByRole('complementary', { name: 'Step refuse' })
  await expect(step).toContainText('faulted')
  await expect(page).toHaveTitle(/^faulted: /)
})

test('Retries show in the timeline', async ({ page, request }) => {
  const id = await start(request, await push(request, 'retry', retrying))
  await page.goto(`/runs/${id}?tab=timeline`)
  await expect(stateOf(page)).toHaveText('completed')
  await expect(page.getByRole('treeitem', { name: /faulted risky/ })).toHaveCount(3)
  await page
    .getByRole('treeitem', { name: /faulted risky/ })
    .first()
    .click()
  await expect(page.getByRole('complementary', { name: 'Step risky' })).toContainText('3 attempts')
})

test('A run that does not exist is said to be absent', async ({ page }) => {
  await page.goto('/runs/01980000-0000-7000-8000-000000000000')
  await expect(page.getByRole('alert')).toContainText('404')
})

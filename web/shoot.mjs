import { chromium } from '@playwright/test'
import { readFileSync } from 'node:fs'
const ids = JSON.parse(readFileSync('/tmp/seed/ids.json', 'utf8'))
const B = process.env.BASE_URL
const only = process.argv[2] ? new RegExp(process.argv[2]) : /./
const widths = (process.argv[3] ?? '1440,390').split(',').map(Number)
const themes = (process.argv[4] ?? 'light').split(',')
const pages = {
  runs: '/runs', runsempty: '/runs?definition=no/such', definitions: '/definitions', definition: '/definitions/demo/shape', defsource: '/definitions/demo/mapper?tab=source', defnone: '/definitions/no/such', newdef: '/definitions/new',
  run: `/runs/${ids.shape}`, runtimeline: `/runs/${ids.shape}?tab=timeline&step=3`, runjournal: `/runs/${ids.shape}?tab=journal`, rundata: `/runs/${ids.greet}?tab=data`, runlive: `/runs/${ids.shape}?tab=live`, runartifacts: `/runs/${ids.shape}?tab=artifacts`,
  waiting: `/runs/${ids.listener}`, approvalrun: `/runs/${ids.ask}`, map: `/runs/${ids.mapper}?step=1`, mapchildren: `/runs/${ids.mapper}?tab=children`, swarm: `/runs/${ids.swarm}?step=1`, faulted: `/runs/${ids.breaks}`, retries: `/runs/${ids.retries}`, saga: `/runs/${ids.saga}?tab=timeline`, chain: `/runs/${ids.chain}`,
  limited: `/runs/${ids.l2}`, fork: `/runs/${ids.fork}`, diff: `/runs/${ids.greet}/compare/${ids.fork}`, suspended: `/runs/${ids.susp}`, long: `/runs/${ids.long}`, nosuch: '/runs/019a0000-0000-7000-8000-000000000001',
  schedules: '/schedules', schedule: '/schedules/demo/nightly', approvals: '/approvals', approval: `/approvals/${ids.ap}`, sinks: '/sinks', bulk: '/runs/bulk',
}
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
for (const theme of themes) for (const width of widths) {
  const page = await browser.newPage({ viewport: { width, height: width > 500 ? 900 : 844 }, colorScheme: theme, reducedMotion: 'reduce' })
  page.on('pageerror', e => console.log('pageerror', page.url(), e.message))
  for (const [name, path] of Object.entries(pages)) {
    if (!only.test(name)) continue
    await page.goto(B + path)
    await page.waitForLoadState('load')
    await page.waitForFunction(() => !document.querySelector('main [role=status] .sr-only'), null, { timeout: 5000 }).catch(() => {})
    await page.waitForTimeout(700)
    const over = await page.evaluate(() => {
      const main = document.querySelector('main')
      return [document.documentElement.scrollWidth - document.documentElement.clientWidth, main.scrollWidth - main.clientWidth]
    })
    if (over[0] > 0 || over[1] > 0) console.log('OVER', name, width, over)
    await page.screenshot({ path: `/tmp/shots/${name}-${width}-${theme}.png` })
  }
  await page.close()
}
await browser.close()

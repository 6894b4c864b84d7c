import { chromium } from '@playwright/test'
import { readFileSync } from 'node:fs'
const [out, suffix, per, w, ...names] = process.argv.slice(2)
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
const p = await b.newPage({ viewport: { width: Number(per) * (Number(w) + 6), height: 600 } })
const imgs = names.map(n => `<figure style="margin:2px;display:inline-block"><figcaption style="font:11px sans-serif">${n}</figcaption><img width=${w} src="data:image/png;base64,${readFileSync(`/tmp/shots/${n}-${suffix}.png`).toString('base64')}"></figure>`)
await p.setContent(`<body style="margin:0;background:#888">${imgs.join('')}`)
await p.screenshot({ path: out, fullPage: true })
await b.close()

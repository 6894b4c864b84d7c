// Answers the routes of docs/http.md from memory, and the built pages. `node e2e/fake/server.mjs [port]`
import { createReadStream, existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { engine, execution, finished, Refusal, routes } from './routes.mjs'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

function stream(res) {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  res.write(': open\n\n')
  const heart = setInterval(() => res.write(': heartbeat\n\n'), 15_000)
  res.on('close', () => clearInterval(heart))
  return (event, data, id) =>
    res.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}

function follow(own, after, res) {
  const send = stream(res)
  const record = r => {
    send('record', { seq: r.seq, at: r.at, run: r.run, steps: r.steps }, r.seq)
    if (finished(r.run.state)) {
      send('end', {})
      res.end()
    }
  }
  for (const r of own.records) if (r.seq > after) record(r)
  if (finished(own.run.state)) {
    if (!res.writableEnded) res.end('event: end\ndata: {}\n\n')
    return
  }
  const onRecord = (e, r) => e === own && record(r)
  const onLive = (e, m) => e === own && send('live', m)
  engine.on('record', onRecord).on('live', onLive)
  res.on('close', () => engine.off('record', onRecord).off('live', onLive))
}

function followWorkspace(after, res) {
  const send = stream(res)
  if (after) engine.log.slice(Number(after)).forEach((run, i) => send('run', run, Number(after) + i + 1))
  const onRun = run => send('run', run, engine.log.length)
  engine.on('run', onRun)
  res.on('close', () => engine.off('run', onRun))
}

function match(method, path) {
  for (const [m, pattern, handler] of routes) {
    const names = []
    const regex = new RegExp(`^${pattern.replace(/:(\w+)/g, (_, n) => `(${names.push(n) && '[^/]+'})`)}$`)
    const found = m === method && regex.exec(path)
    if (found) return { handler, p: Object.fromEntries(names.map((n, i) => [n, decodeURIComponent(found[i + 1])])) }
  }
  return null
}

async function answer(req, res) {
  const url = new URL(req.url, 'http://fake')
  const after = req.headers['last-event-id'] ?? url.searchParams.get('after')
  const own = /^\/api\/v1\/runs\/([^/]+)\/stream$/.exec(url.pathname)
  if (own) return follow(execution(own[1]), Number(after ?? 0), res)
  if (url.pathname === '/api/v1/stream') return followWorkspace(after, res)
  const found = match(req.method, url.pathname)
  if (!found)
    return url.pathname.startsWith('/api/')
      ? Promise.reject(new Refusal(404, 'route.not_found', 'There is nothing here.'))
      : file(url.pathname, res)
  let body = ''
  for await (const chunk of req) body += chunk
  const result = await found.handler({ p: found.p, query: url.searchParams, body, headers: req.headers })
  if (result?.raw !== undefined) return res.writeHead(200, { 'content-type': result.type }).end(result.raw)
  const { status, json } = result?.status && result.json ? result : { status: 200, json: result }
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json ?? null))
}

function file(path, res) {
  const wanted = join(dist, normalize(path))
  const found = extname(wanted) && existsSync(wanted) ? wanted : join(dist, 'index.html')
  res.writeHead(200, { 'content-type': types[extname(found)] ?? 'application/octet-stream' })
  createReadStream(found).pipe(res)
}

const server = createServer((req, res) => {
  answer(req, res).catch(e => {
    const { status, body } =
      e instanceof Refusal
        ? e
        : { status: 500, body: { title: String(e?.stack ?? e), status: 500, code: 'fake.broken' } }
    if (!res.headersSent) res.writeHead(status, { 'content-type': 'application/problem+json' })
    res.end(JSON.stringify(body))
  })
})
server.listen(Number(process.argv[2] ?? 8000), '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port}`),
)

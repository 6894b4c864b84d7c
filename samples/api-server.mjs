// A small HTTP API for samples/api-digest.yaml: readings in pages, digests taken, DELETE / stops it.
// Usage: node api-server.mjs [port]. It listens on 127.0.0.1 only and ends by itself after a minute.
import { createServer } from 'node:http'

const port = Number(process.argv[2] ?? 18099)
const rooms = ['attic', 'cellar', 'kitchen']
const readings = Array.from({ length: 30 }, (_, i) => ({
  id: i + 1,
  room: rooms[i % rooms.length],
  celsius: Math.round((16 + (i % rooms.length) * 3 + Math.sin(i) * 2) * 10) / 10,
}))
const perPage = 12
const digests = []

// Refuses its first two visitors, as services do that are still starting.
let visits = 0

const server = createServer((request, response) => {
  const url = new URL(request.url, `http://127.0.0.1:${port}`)
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }
  const route = `${request.method} ${url.pathname}`
  if (route === 'GET /health') {
    visits += 1
    return visits > 2 ? answer(200, { status: 'ready' }) : answer(503, { status: 'starting' })
  }
  if (route === 'GET /readings') {
    const page = Number(url.searchParams.get('page') ?? 1)
    return answer(200, { page, pages: Math.ceil(readings.length / perPage), items: readings.slice((page - 1) * perPage, page * perPage) })
  }
  if (route === 'POST /digests') {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      digests.push(JSON.parse(Buffer.concat(chunks).toString('utf8')))
      answer(201, { id: `digest-${digests.length}` })
    })
    return
  }
  if (route === 'DELETE /') {
    answer(200, { stopped: true })
    server.close()
    server.closeIdleConnections()
    return
  }
  answer(404, { error: `nothing at ${route}` })
})

server.listen(port, '127.0.0.1', () => console.log(`api-server listens on 127.0.0.1:${port}`))
setTimeout(() => process.exit(0), 60_000).unref()

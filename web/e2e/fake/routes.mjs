// What the fake answers, route by route.
import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { load } from './document.mjs'
import { Execution } from './engine.mjs'

export const finished = state => ['completed', 'faulted', 'cancelled'].includes(state)

export class Refusal extends Error {
  constructor(status, code, title, more = {}) {
    super(title)
    Object.assign(this, { status, body: { type: 'about:blank', title, status, code, ...more } })
  }
}

class Engine extends EventEmitter {
  definitions = []
  executions = new Map()
  keys = new Map()
  log = []

  find(namespace, name, version) {
    const all = this.definitions.filter(d => d.summary.namespace === namespace && d.summary.name === name)
    const found = version === 'latest' || !version ? all.at(-1) : all.find(d => d.summary.version === version)
    if (!found)
      throw new Refusal(
        404,
        'definition.not_found',
        `There is no definition ${namespace}/${name}:${version ?? 'latest'}.`,
      )
    return found
  }

  start(definition, input, parent) {
    const started = new Execution(this, definition, input, parent)
    this.executions.set(started.run.id, started)
    void started.start()
    return started
  }
}

export const engine = new Engine().setMaxListeners(1000)
engine.on('run', run => engine.log.push(run))

export const routes = [
  ['GET', '/api/v1/system', () => ({ version: '0.1.0-fake', shape: 'embedded', runs: countRuns() })],
  ['GET', '/health/live', () => ({ status: 'live' })],
  [
    'POST',
    '/api/v1/definitions/validation',
    ({ body }) => {
      const { diagnostics } = load(body)
      return { valid: diagnostics.length === 0, diagnostics }
    },
  ],
  ['POST', '/api/v1/definitions', ({ body }) => push(body)],
  [
    'GET',
    '/api/v1/definitions',
    ({ query }) => {
      const latest = new Map(engine.definitions.map(d => [`${d.summary.namespace}/${d.summary.name}`, d.summary]))
      const q = (query.get('q') ?? '').toLowerCase()
      return page(
        [...latest.values()].filter(s => `${s.namespace}/${s.name} ${s.title ?? ''}`.toLowerCase().includes(q)),
        query,
      )
    },
  ],
  ['GET', '/api/v1/definitions/:ns/:name', ({ p }) => engine.find(p.ns, p.name).full],
  [
    'GET',
    '/api/v1/definitions/:ns/:name/versions',
    ({ p, query }) => {
      engine.find(p.ns, p.name)
      return page(
        engine.definitions
          .filter(d => d.summary.namespace === p.ns && d.summary.name === p.name)
          .map(d => d.summary)
          .toReversed(),
        query,
      )
    },
  ],
  ['GET', '/api/v1/definitions/:ns/:name/versions/:v', ({ p }) => engine.find(p.ns, p.name, p.v).full],
  [
    'GET',
    '/api/v1/definitions/:ns/:name/versions/:v/source',
    ({ p }) => ({ raw: engine.find(p.ns, p.name, p.v).text, type: 'application/yaml' }),
  ],
  [
    'GET',
    '/api/v1/definitions/:ns/:name/versions/:v/graph',
    ({ p }) => {
      const { nodes, edges } = engine.find(p.ns, p.name, p.v).loaded
      return { nodes, edges }
    },
  ],
  ['POST', '/api/v1/runs', ({ body, headers }) => startRun(JSON.parse(body), headers['idempotency-key'])],
  [
    'GET',
    '/api/v1/runs',
    ({ query }) => {
      const [states, definition, parent] = [query.getAll('state'), query.get('definition'), query.get('parent')]
      const top = query.get('children') === 'false'
      const all = [...engine.executions.values()].map(e => e.run).toReversed()
      return page(
        all.filter(
          r =>
            (states.length === 0 || states.includes(r.state)) &&
            (!definition || `${r.definition.namespace}/${r.definition.name}` === definition) &&
            (!parent || r.parent?.run === parent) &&
            !(top && r.parent),
        ),
        query,
      )
    },
  ],
  ['GET', '/api/v1/runs/:id', ({ p }) => execution(p.id).run],
  [
    'GET',
    '/api/v1/runs/:id/steps',
    ({ p, query }) =>
      page(
        execution(p.id).steps.map(({ input: _i, output: _o, ...s }) => s),
        query,
      ),
  ],
  ['GET', '/api/v1/runs/:id/steps/:step', ({ p }) => execution(p.id).steps[p.step - 1]],
  [
    'GET',
    '/api/v1/runs/:id/journal',
    ({ p, query }) =>
      page(
        execution(p.id)
          .records.filter(r => r.seq > Number(query.get('after') ?? 0))
          .map(({ seq, at, entries }) => ({ seq, at, entries })),
        query,
      ),
  ],
  ['GET', '/api/v1/runs/:id/input', ({ p }) => execution(p.id).input],
  [
    'GET',
    '/api/v1/runs/:id/output',
    ({ p }) => {
      if (execution(p.id).run.state !== 'completed')
        throw new Refusal(409, 'run.not_completed', 'The run has no output.')
      return execution(p.id).output
    },
  ],
  ['GET', '/api/v1/runs/:id/waiting', ({ p }) => ({ items: waitingOf(execution(p.id)) })],
  [
    'POST',
    '/api/v1/runs/:id/cancellation',
    ({ p, body }) =>
      control(p.id, body, (e, reason) => {
        for (const s of e.steps)
          if (!['completed', 'faulted', 'cancelled', 'skipped'].includes(s.state)) e.end(s, 'cancelled')
        e.commit([], { e: 'run.cancelled', reason }, { state: 'cancelled', reason, endedAt: new Date().toISOString() })
      }),
  ],
  [
    'POST',
    '/api/v1/runs/:id/suspension',
    ({ p, body }) =>
      control(p.id, body, (e, reason) => {
        if (e.run.state === 'suspended')
          throw new Refusal(409, 'run.already_suspended', 'The run is suspended already.')
        e.commit([], { e: 'run.suspended', reason }, { state: 'suspended', reason })
      }),
  ],
  [
    'POST',
    '/api/v1/runs/:id/resumption',
    ({ p, body }) =>
      control(p.id, body, e => {
        if (e.run.state !== 'suspended') throw new Refusal(409, 'run.not_suspended', 'The run is not suspended.')
        e.resume()
      }),
  ],
  [
    'GET',
    '/api/v1/runs/:id/artifacts',
    ({ p }) => ({
      items: execution(p.id).artifacts.map(({ content, ...a }) => ({
        ...a,
        size: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
        href: `/api/v1/runs/${p.id}/artifacts/${a.name}`,
      })),
    }),
  ],
  [
    'GET',
    '/api/v1/runs/:id/artifacts/:name',
    ({ p }) => {
      const a = execution(p.id).artifacts.find(x => x.name === p.name)
      return { raw: a.content, type: a.mediaType }
    },
  ],
]

function countRuns() {
  const counts = {}
  for (const { run } of engine.executions.values()) counts[run.state] = (counts[run.state] ?? 0) + 1
  return counts
}

function page(items, query) {
  const at = Number(query.get('cursor') ?? 0)
  const limit = Number(query.get('limit') ?? 50)
  return { items: items.slice(at, at + limit), next: at + limit < items.length ? String(at + limit) : null }
}

export function execution(id) {
  const found = engine.executions.get(id)
  if (!found) throw new Refusal(404, 'run.not_found', 'There is no such run.')
  return found
}

function push(text) {
  const loaded = load(text)
  const first = loaded.diagnostics[0]
  if (first)
    throw new Refusal(422, 'definition.invalid', 'The definition has errors.', {
      detail: `${loaded.diagnostics.length} errors, the first at line ${first.line}, column ${first.column}.`,
      errors: loaded.diagnostics,
    })
  const { document, input, use } = loaded.value
  const { namespace, name, version, title, summary, tags } = document
  const same = engine.definitions.find(
    d => d.summary.namespace === namespace && d.summary.name === name && d.summary.version === version,
  )
  if (same?.text === text) return { status: 200, json: same.full }
  if (same)
    throw new Refusal(409, 'definition.version_exists', `${namespace}/${name}:${version} exists with another text.`, {
      detail: 'Raise the version to push a change.',
    })
  const own = {
    namespace,
    name,
    version,
    hash: loaded.hash,
    createdAt: new Date().toISOString(),
    ...(title ? { title } : {}),
    ...(summary ? { summary } : {}),
    ...(tags ? { tags } : {}),
  }
  const full = {
    ...own,
    diagnostics: [],
    secrets: use?.secrets ?? [],
    ...(input?.schema?.document ? { inputSchema: input.schema.document } : {}),
  }
  engine.definitions.push({ summary: own, full, text, loaded })
  return { status: 201, json: full }
}

function startRun(request, key) {
  const known = key ? engine.keys.get(key) : undefined
  const text = JSON.stringify(request)
  if (known && known.text !== text)
    throw new Refusal(409, 'run.idempotency_conflict', 'The key was used for another request.')
  if (known) return { status: 200, json: execution(known.id).run }
  const { namespace, name, version } = request.definition
  const definition = engine.find(namespace, name, version)
  const input = request.input ?? {}
  const schema = definition.full.inputSchema
  const errors = (schema?.required ?? [])
    .filter(k => input[k] === undefined)
    .map(k => ({ pointer: '', schema: '/required', message: `The required member '${k}' is missing.` }))
  for (const [k, s] of Object.entries(schema?.properties ?? {})) {
    if (s.pattern && typeof input[k] === 'string' && !new RegExp(s.pattern).test(input[k]))
      errors.push({
        pointer: `/${k}`,
        schema: `/properties/${k}/pattern`,
        message: `The text does not match ${s.pattern}.`,
      })
  }
  if (errors.length > 0) throw new Refusal(422, 'run.input_invalid', 'The input does not fit the schema.', { errors })
  const { run } = engine.start(definition, input)
  if (key) engine.keys.set(key, { text, id: run.id })
  return { status: 201, json: run }
}

function control(id, body, change) {
  const e = execution(id)
  if (finished(e.run.state)) throw new Refusal(409, 'run.already_finished', `The run is ${e.run.state}.`)
  change(e, body ? JSON.parse(body).reason : undefined)
  return { status: 202, json: e.run }
}

function waitingOf({ run, steps }) {
  if (finished(run.state)) return []
  if (run.state === 'suspended')
    return [{ on: 'resume', since: run.updatedAt, detail: 'The run is suspended until somebody resumes it.' }]
  const leaves = steps.filter(s => !s.endedAt && !steps.some(c => c.parent === s.id && !c.endedAt))
  if (leaves.length === 0) return [{ on: 'worker', since: run.updatedAt, detail: 'The run waits for a worker.' }]
  return leaves.map(s => {
    const on = s.child ? 'child' : s.kind === 'wait' ? 'timer' : s.wakeAt ? 'retry' : 'effect'
    const detail = {
      child: `Waits for the child run ${s.child}.`,
      timer: `Sleeps until ${s.wakeAt}.`,
      retry: `Attempt ${s.attempt} begins at ${s.wakeAt}.`,
      effect: `${s.kind} is at work.`,
    }[on]
    return {
      step: s.id,
      reference: s.reference,
      on,
      since: s.startedAt,
      detail,
      ...(s.wakeAt ? { wakeAt: s.wakeAt } : {}),
    }
  })
}

// Reads a workflow document as far as the fake needs it: tasks, edges, and the commonest mistakes with their place.
import { createHash } from 'node:crypto'
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'

const kinds = ['call', 'do', 'emit', 'for', 'fork', 'listen', 'raise', 'run', 'set', 'switch', 'try', 'wait']
const common = ['if', 'input', 'output', 'export', 'timeout', 'then', 'metadata']
const beside = { for: ['while', 'do'], try: ['catch'], call: ['with'], listen: ['foreach'] }

export function load(text) {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines })
  const loader = new Loader(lines)
  for (const e of doc.errors.slice(0, 1)) loader.report(e.pos[0], 'yaml.syntax', e.message.split('\n')[0], '')
  const value = doc.errors.length === 0 ? doc.toJS() : null
  if (value) loader.document(doc.contents, value)
  return {
    value,
    nodes: loader.nodes,
    edges: loader.edges,
    diagnostics: loader.diagnostics,
    hash: createHash('sha256').update(text).digest('hex'),
  }
}

class Loader {
  nodes = []
  edges = []
  diagnostics = []

  constructor(lines) {
    this.lines = lines
  }

  report(offset, code, message, pointer, expected) {
    const { line, col } = this.lines.linePos(offset ?? 0)
    const severity = 'error'
    this.diagnostics.push({ severity, code, message, line, column: col, pointer, ...(expected ? { expected } : {}) })
  }

  document(map, value) {
    for (const key of ['dsl', 'namespace', 'name', 'version'])
      if (typeof value?.document?.[key] !== 'string')
        this.report(map?.range?.[0], 'workflow.missing_property', `The document lacks '${key}', a text.`, '/document')
    const tasks = isMap(map) ? map.get('do', true) : null
    if (!isSeq(tasks))
      this.report(map?.range?.[0], 'workflow.missing_property', "The document lacks 'do', a list of tasks.", '')
    else this.scope(tasks, null, 'do', '/do')
  }

  scope(seq, parent, slot, pointer) {
    const own = []
    seq.items.forEach((item, i) => {
      const pair = isMap(item) ? item.items[0] : null
      if (!pair || item.items.length !== 1) {
        this.report(
          item?.range?.[0],
          'workflow.task_shape',
          'A task is an object with one member: its name.',
          `${pointer}/${i}`,
        )
        return
      }
      own.push({ pair, ...this.task(pair, parent, slot, `${pointer}/${i}/${pair.key.value}`) })
    })
    if (slot === 'branch') {
      for (const { node } of own) {
        this.edges.push({ from: null, to: node.id, parent, slot })
        this.edges.push({ from: node.id, to: null, parent, slot })
      }
      return
    }
    if (own[0]) this.edges.push({ from: null, to: own[0].node.id, parent, slot })
    own.forEach(({ node, body }, i) => {
      const next = own[i + 1]?.node.id ?? null
      const target = (then, at) => {
        if (then === undefined || then === 'continue') return next
        if (then === 'end' || then === 'exit') return null
        const found = own.find(o => o.node.name === then)
        if (!found)
          this.report(
            at,
            'workflow.unknown_target',
            `There is no task '${then}' in this list.`,
            `${node.reference}/then`,
          )
        return found?.node.id ?? null
      }
      const edge = (to, label) => this.edges.push({ from: node.id, to, parent, slot, ...(label ? { label } : {}) })
      if (node.kind !== 'switch' || !isSeq(body.get('switch', true))) {
        edge(target(body.get('then'), body.get('then', true)?.range?.[0]), body.has('then') ? 'then' : undefined)
        return
      }
      let otherwise = true
      for (const c of body.get('switch', true).items) {
        const { key, value } = c.items[0]
        edge(target(value.get('then'), value.get('then', true)?.range?.[0]), key.value)
        if (!value.has('when')) otherwise = false
      }
      if (otherwise) edge(target(body.get('then')), 'otherwise')
    })
  }

  task(pair, parent, slot, reference) {
    const body = pair.value
    const { line } = this.lines.linePos(pair.key.range[0])
    const keys = isMap(body) ? body.items.map(p => p.key.value) : []
    const kind = ['for', 'try', ...kinds].find(k => keys.includes(k))
    const node = {
      id: this.nodes.length,
      parent,
      name: String(pair.key.value),
      reference,
      kind: kind ?? 'do',
      slot,
      line,
    }
    this.nodes.push(node)
    if (!kind) {
      const at = isMap(body) ? body.items[0]?.key.range[0] : pair.key.range[0]
      const message = keys[0] ? `'${keys[0]}' is no kind of task.` : 'The task says nothing.'
      this.report(
        at,
        'workflow.unknown_property',
        message,
        keys[0] ? `${reference}/${keys[0]}` : reference,
        `one of ${kinds.join(', ')}`,
      )
      return { node, body }
    }
    for (const p of body.items)
      if (![kind, ...common, ...(beside[kind] ?? [])].includes(p.key.value))
        this.report(
          p.key.range[0],
          'workflow.unknown_property',
          `'${p.key.value}' has no meaning in a ${kind} task.`,
          `${reference}/${p.key.value}`,
        )
    this.inside(node, body)
    const detail = detailOf(kind, body)
    if (detail) node.detail = detail
    return { node, body }
  }

  inside(node, body) {
    const list = (keys, slot) => {
      const seq = body.getIn(keys, true)
      if (isSeq(seq)) this.scope(seq, node.id, slot, `${node.reference}/${keys.join('/')}`)
    }
    if (node.kind === 'do') list(['do'], 'do')
    if (node.kind === 'for') list(['do'], 'for')
    if (node.kind === 'try') list(['try'], 'try')
    if (node.kind === 'try') list(['catch', 'do'], 'catch')
    if (node.kind === 'fork') list(['fork', 'branches'], 'branch')
  }
}

function detailOf(kind, body) {
  const value = body.get(kind, true)
  if (kind === 'call') return isScalar(value) ? String(value.value) : undefined
  if (kind === 'run') return value?.items?.[0]?.key.value
  if (kind === 'wait')
    return isScalar(value) ? String(value.value) : value?.items?.map(p => `${p.value.value} ${p.key.value}`).join(' ')
  if (kind === 'for') return `${value?.get('each') ?? 'item'} in ${value?.get('in')}`
  return undefined
}

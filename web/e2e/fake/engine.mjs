// Runs documents in memory, slowly enough to watch: a stand-in for developing the pages, not a model of the engine.
import { randomBytes } from 'node:crypto'

const errors = 'https://open-workflow-specification.org/spec/1.0.0/errors/'
const now = () => new Date().toISOString().replace('Z', '000Z')
const finished = state => ['completed', 'faulted', 'cancelled', 'skipped'].includes(state)

export function uuid7() {
  const hex = Date.now().toString(16).padStart(12, '0') + '7' + randomBytes(10).toString('hex').slice(0, 19)
  return hex.replace(/^(.{8})(.{4})(.{4}).(.{3})(.{12}).*$/, '$1-$2-$3-8$4-$5')
}

export class Fault extends Error {
  constructor(error) {
    super(error.title)
    this.error = error
  }
}

class Left extends Error {}

export class Execution {
  #wake = new Set()
  steps = []
  records = []
  artifacts = []
  output

  constructor(engine, definition, input, parent) {
    this.engine = engine
    this.definition = definition
    this.input = input
    const { namespace, name, version } = definition.summary
    const at = now()
    this.run = {
      id: uuid7(),
      definition: { namespace, name, version, hash: definition.loaded.hash },
      state: 'pending',
      createdAt: at,
      updatedAt: at,
      ...(parent ? { parent } : {}),
      steps: { started: 0, completed: 0, faulted: 0, skipped: 0, cancelled: 0 },
      position: 0,
    }
  }

  async start() {
    this.commit([], { e: 'run.created', input: this.input }, { state: 'pending' })
    await this.sleep(40)
    this.commit([], { e: 'run.started' }, { state: 'running', startedAt: now() })
    try {
      this.output = await this.scope(null, 'do', this.definition.loaded.value.do, '/do', this.input, null)
      this.finish('completed', { output: this.output })
    } catch (e) {
      if (e instanceof Fault) this.finish('faulted', { error: e.error })
      else if (!(e instanceof Left)) throw e
    }
  }

  finish(state, more) {
    for (const s of this.steps) if (!finished(s.state)) this.end(s, 'cancelled')
    const { error } = more
    this.commit([], { e: `run.${state}`, ...more }, { state, endedAt: now(), ...(error ? { error } : {}) })
  }

  /** One durable record: changes, then everybody hears of it. */
  commit(steps, entry, change = {}) {
    const before = this.run.state
    const seq = this.run.position + 1
    this.run = { ...this.run, ...change, position: seq, updatedAt: now() }
    if (!finished(this.run.state) && this.run.state !== 'suspended' && !change.state) {
      const open = this.steps.filter(
        s => !finished(s.state) && !this.steps.some(c => c.parent === s.id && !finished(c.state)),
      )
      const state = open.length > 0 && open.every(s => s.state === 'waiting') ? 'waiting' : 'running'
      const wakeAt = open.map(s => s.wakeAt).filter(w => w)[0]
      this.run = { ...this.run, state, ...(state === 'waiting' && wakeAt ? { wakeAt } : { wakeAt: null }) }
    }
    const slim = steps.map(({ input: _i, output: _o, ...s }) => structuredClone(s))
    const record = { seq, at: this.run.updatedAt, run: this.run, steps: slim, entries: [entry] }
    this.records.push(record)
    this.engine.emit('record', this, record)
    if (before !== this.run.state || seq === 1 || entry.e === 'run.resumed') this.engine.emit('run', this.run)
    if (finished(this.run.state)) for (const wake of this.#wake) wake()
  }

  begin(node, parent, input, more) {
    const step = {
      id: this.steps.length + 1,
      parent,
      node: node.id,
      name: node.name,
      reference: node.reference,
      kind: node.kind,
      state: 'running',
      attempt: 1,
      startedAt: now(),
      input,
      ...more,
    }
    this.steps.push(step)
    this.run.steps = { ...this.run.steps, started: this.run.steps.started + 1 }
    this.commit([step], { e: 'step.started', step: step.id, reference: step.reference, attempt: step.attempt })
    return step
  }

  end(step, state, more = {}) {
    Object.assign(step, { state, endedAt: now(), wakeAt: null, ...more })
    this.run.steps = { ...this.run.steps, [state]: this.run.steps[state] + 1 }
    this.commit([step], { e: `step.${state}`, step: step.id, ...more })
  }

  live(step, channel, data) {
    this.engine.emit('live', this, { step: step.id, channel, data, at: now() })
  }

  /** Sleeps, then stands still while the run is suspended; throws when it was cancelled. */
  async sleep(ms) {
    const until = Date.now() + ms
    for (;;) {
      if (finished(this.run.state)) throw new Left()
      const left = until - Date.now()
      if (left <= 0 && this.run.state !== 'suspended') return
      await this.nextChange(this.run.state === 'suspended' ? 3_600_000 : Math.max(1, left))
    }
  }

  nextChange(ms) {
    return new Promise(resolve => {
      const wake = () => {
        clearTimeout(timer)
        this.#wake.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#wake.add(wake)
    })
  }

  resume() {
    this.run = { ...this.run, state: 'running', reason: null }
    this.commit([], { e: 'run.resumed' })
    for (const wake of this.#wake) wake()
  }

  async scope(parent, slot, list, pointer, input, more) {
    let at = 0
    let value = input
    while (at !== null && at < list.length) {
      const [name, task] = Object.entries(list[at])[0]
      const node = this.definition.loaded.nodes.find(n => n.reference === `${pointer}/${at}/${name}`)
      const outcome = await this.step(node, task, parent, value, more)
      value = outcome.output
      const then = outcome.next ?? task.then
      if (then === 'end' || then === 'exit') break
      const goto = list.findIndex(t => Object.keys(t)[0] === then)
      at = goto >= 0 ? goto : at + 1
    }
    return value
  }

  async step(node, task, parent, input, more) {
    const step = this.begin(node, parent, input, more ?? {})
    try {
      await this.sleep(30)
      if (task.if !== undefined && !this.evaluate(task.if, input, node)) {
        this.end(step, 'skipped', { output: input })
        return { output: input }
      }
      const result = await this[`perform${node.kind[0].toUpperCase()}${node.kind.slice(1)}`](step, node, task, input)
      const output = result?.output === undefined ? input : result.output
      this.end(step, 'completed', { output })
      return { output, next: result?.next }
    } catch (e) {
      if (e instanceof Fault) this.end(step, 'faulted', { error: e.error })
      throw e
    }
  }

  async performSet(_, node, task, input) {
    return { output: this.evaluate(task.set, input, node) }
  }

  async performDo(step, node, task, input) {
    return { output: await this.scope(step.id, 'do', task.do, `${node.reference}/do`, input) }
  }

  async performFor(step, node, task, input) {
    const items = this.evaluate(task.for.in, input, node)
    let value = input
    for (const [i, item] of (Array.isArray(items) ? items : []).entries())
      value = await this.scope(
        step.id,
        'for',
        task.do,
        `${node.reference}/do`,
        { ...value, [task.for.each ?? 'item']: item },
        { iteration: i },
      )
    return { output: value }
  }

  async performFork(step, node, task, input) {
    const outputs = await Promise.all(
      task.fork.branches.map((branch, i) => {
        const [name, body] = Object.entries(branch)[0]
        const own = this.definition.loaded.nodes.find(
          n => n.reference === `${node.reference}/fork/branches/${i}/${name}`,
        )
        return this.step(own, body, step.id, input)
      }),
    )
    return { output: outputs.map(o => o.output) }
  }

  async performSwitch(_, node, task, input) {
    const chosen = task.switch
      .map(c => Object.values(c)[0])
      .find(c => c.when === undefined || this.evaluate(c.when, input, node))
    return { output: input, next: chosen?.then }
  }

  async performTry(step, node, task, input) {
    const { retry, do: repair } = task.catch
    const attempts = retry?.limit?.attempt?.count ?? 0
    for (let attempt = 1; ; attempt++) {
      try {
        return { output: await this.scope(step.id, 'try', task.try, `${node.reference}/try`, input, { attempt }) }
      } catch (e) {
        if (!(e instanceof Fault)) throw e
        if (attempt <= attempts) {
          const delay = duration(retry.delay ?? {})
          Object.assign(step, {
            state: 'waiting',
            wakeAt: new Date(Date.now() + delay).toISOString(),
            attempt: attempt + 1,
          })
          this.commit([step], { e: 'step.retrying', step: step.id, attempt: attempt + 1, error: e.error })
          await this.sleep(delay)
          Object.assign(step, { state: 'running', wakeAt: null })
        } else {
          if (!repair) return { output: input }
          return {
            output: await this.scope(step.id, 'catch', repair, `${node.reference}/catch/do`, {
              ...input,
              error: e.error,
            }),
          }
        }
      }
    }
  }

  async performRaise(_, node, task, input) {
    throw new Fault({ ...this.evaluate(task.raise.error, input, node), instance: node.reference })
  }

  async performWait(step, _, task) {
    const ms = duration(task.wait)
    Object.assign(step, { state: 'waiting', wakeAt: new Date(Date.now() + ms).toISOString() })
    this.commit([step], { e: 'timer.started', step: step.id, wakeAt: step.wakeAt })
    await this.sleep(ms)
  }

  async performCall(step, node, task, input) {
    const endpoint = String(task.with?.endpoint?.uri ?? task.with?.endpoint ?? '')
    await this.sleep(250)
    if (endpoint.includes('fail'))
      throw new Fault({
        type: `${errors}communication`,
        status: 503,
        title: 'Service Unavailable',
        detail: `GET ${endpoint} answered 503.`,
        instance: node.reference,
      })
    return { output: { ...input, answer: { status: 200, from: endpoint } } }
  }

  async print(step, command) {
    for (const line of String(command).split('\n')) {
      await this.sleep(180)
      this.live(step, 'stdout', `${line}\n`)
    }
    this.live(step, 'stderr', 'done\n')
  }

  async performRun(step, node, task, input) {
    if (task.run.workflow) {
      const { namespace, name, version } = task.run.workflow
      const definition = this.engine.find(namespace, name, version ?? 'latest')
      const child = this.engine.start(definition, this.evaluate(task.run.workflow.input ?? {}, input, node), {
        run: this.run.id,
        step: step.id,
      })
      Object.assign(step, { child: child.run.id, state: 'waiting' })
      this.commit([step], { e: 'child.started', step: step.id, child: child.run.id })
      while (!finished(child.run.state)) await this.sleep(50)
      return { output: child.output }
    }
    const script = task.run.shell?.command ?? task.run.script?.code ?? ''
    await this.print(step, script)
    const text = `# Report\n\nWritten by \`${node.name}\`.\n\n- lines: ${script.split('\n').length}\n`
    this.artifacts.push({ name: `${node.name}.md`, mediaType: 'text/markdown', content: text, createdAt: now() })
    return { output: { code: 0, stdout: script, input } }
  }

  async performEmit() {
    await this.sleep(20)
  }

  /** Paths, comparisons with a constant, and texts around paths: the little of jq that the samples use. */
  evaluate(value, input, node) {
    if (Array.isArray(value)) return value.map(v => this.evaluate(v, input, node))
    if (value && typeof value === 'object')
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, this.evaluate(v, input, node)]))
    if (typeof value !== 'string') return value
    const whole = /^\s*\$\{\s*([^}]*?)\s*\}\s*$/.exec(value)
    if (whole) return this.expression(whole[1], input, node)
    return value.replace(/\$\{\s*([^}]*?)\s*\}/g, (_, e) => String(this.expression(e, input, node) ?? 'null'))
  }

  expression(text, input, node) {
    const read = path =>
      path
        .split('.')
        .filter(p => p)
        .reduce((v, k) => v?.[k], input) ?? null
    const compare = /^(\.[\w.]*)\s*(==|>|<)\s*(.+)$/.exec(text)
    if (compare) {
      const [, path, op, right] = compare
      const [a, b] = [read(path), JSON.parse(right)]
      return op === '==' ? a === b : op === '>' ? a > b : a < b
    }
    if (/^\.[\w.]*$/.test(text)) return read(text)
    if (/^\$\w+$/.test(text)) return input?.[text.slice(1)] ?? null
    throw new Fault({
      type: `${errors}expression`,
      status: 400,
      title: 'The expression failed.',
      detail: `${text}: null (null) cannot be parsed as a number`,
      instance: node.reference,
    })
  }
}

export function duration(value) {
  if (typeof value === 'string') {
    const m = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(value) ?? []
    return (((+(m[1] ?? 0) * 24 + +(m[2] ?? 0)) * 60 + +(m[3] ?? 0)) * 60 + +(m[4] ?? 0)) * 1000
  }
  const unit = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1000, milliseconds: 1 }
  return Object.entries(value ?? {}).reduce((sum, [k, v]) => sum + v * unit[k], 0)
}

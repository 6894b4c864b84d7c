// @vitest-environment jsdom
import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test } from 'vitest'
import type { Run, Step } from '~/lib/api'
import { at, recordOf, runOf, stepOf } from '~/test-data'
import { renderPage, serve } from '~/test-server'
import RunPage from './run-page'
import type { RunTab } from './run-tabs'

const source = `document: {}
do:
  - convert:
      set:
        rate: \${ .rate | tonumber }
`
const graph = {
  nodes: [{ id: 1, parent: null, name: 'convert', reference: '/do/0/convert', kind: 'set', slot: 'do', line: 3 }],
  edges: [],
}
const fault = {
  type: 'https://open-workflow-specification.org/spec/1.0.0/errors/expression',
  status: 400,
  title: 'The expression failed.',
  detail: '.rate | tonumber: null cannot be parsed as a number',
  instance: '/do/0/convert',
}

function open(run: Partial<Run>, steps: Step[], tab: RunTab = 'timeline', more: Record<string, unknown> = {}) {
  const base = `/api/v1/runs/${runOf().id}`
  const asked = serve(({ path }) => {
    const bare = path.split('?')[0] ?? ''
    if (bare in more) return { json: more[bare] }
    if (bare === base) return { json: runOf(run) }
    if (bare === `${base}/steps`) return { json: { items: steps, next: null } }
    if (bare.endsWith('/source')) return { text: source }
    if (bare.endsWith('/graph')) return { json: graph }
    if (bare === `${base}/waiting`) return { json: { items: [] } }
    return undefined
  })
  renderRun(tab)
  return asked
}

function renderRun(tab: RunTab = 'timeline') {
  renderPage(
    <RunPage
      id={runOf().id}
      tab={tab}
      step={undefined}
      seq={undefined}
      onTab={() => {}}
      onStep={() => {}}
      onSeq={() => {}}
    />,
  )
}

describe('The page of a run', () => {
  test('says why a run faulted, where, and what to do', async () => {
    open({ state: 'faulted', endedAt: at(500), error: fault }, [
      stepOf(1, { name: 'convert', reference: '/do/0/convert', state: 'faulted', endedAt: at(500), error: fault }),
    ])
    const why = await screen.findByRole('region', { name: 'Why it failed' })
    expect(within(why).getByRole('heading', { name: 'The expression failed.' })).toBeInTheDocument()
    expect(why).toHaveTextContent('expression')
    expect(why).toHaveTextContent('400')
    expect(why).toHaveTextContent('/do/0/convert')
    expect(why).toHaveTextContent(/gives a default/)
    expect(await within(why).findByRole('note', { name: 'error at line 5' })).toHaveTextContent('cannot be parsed')
    expect(screen.queryByRole('button', { name: 'Cancel' })).toBeNull()
    expect(screen.queryByRole('button', { name: 'Send a signal' })).toBeNull()
  })

  test('says what an open run waits for and offers what can be done', async () => {
    const waiting = {
      items: [{ on: 'timer', since: at(0), detail: 'Sleeps until noon.', step: 1, reference: '/do/0/rest' }],
    }
    open({ state: 'waiting' }, [stepOf(1, { state: 'waiting' })], 'timeline', {
      [`/api/v1/runs/${runOf().id}/waiting`]: waiting,
    })
    expect(await screen.findByText('Sleeps until noon.')).toBeInTheDocument()
    expect(screen.getByRole('button', { name: 'Suspend' })).toBeInTheDocument()
    expect(screen.getByRole('button', { name: 'Cancel' })).toBeInTheDocument()
    expect(screen.queryByRole('button', { name: 'Resume' })).toBeNull()
  })

  test('sends a signal of any type to a run that does not listen yet', async () => {
    const path = `/api/v1/runs/${runOf().id}/signals`
    const asked = open({ state: 'suspended' }, [], 'timeline', { [path]: { run: runOf().id, position: 1 } })
    await userEvent.click(await screen.findByRole('button', { name: 'Send a signal' }))
    expect(screen.getByLabelText(/^Type/)).toHaveValue('')
    await userEvent.click(screen.getByRole('button', { name: 'Send' }))
    expect(asked.some(a => a.path === path)).toBe(false)
    await userEvent.type(screen.getByLabelText(/^Type/), 'approved')
    await userEvent.click(screen.getByRole('button', { name: 'Send' }))
    expect(await screen.findByText('The signal is sent.')).toBeInTheDocument()
    expect(JSON.parse(asked.find(a => a.path === path)!.body!)).toEqual({ name: 'approved', data: {} })
  })

  test('leads to the runs before and behind it in its chain', async () => {
    const [before, behind] = ['019a0000-0000-7000-8000-0000000000aa', '019a0000-0000-7000-8000-0000000000bb']
    open({ state: 'completed', endedAt: at(500), continues: before, continuedBy: behind }, [])
    expect(await screen.findByRole('link', { name: 'goes on for 000000aa' })).toHaveAttribute('href', `/runs/${before}`)
    expect(screen.getByRole('link', { name: 'goes on as 000000bb' })).toHaveAttribute('href', `/runs/${behind}`)
  })

  test('tells the priority and the limits that a run counts in', async () => {
    const limits = [{ kind: 'slot', name: 'test/orders', key: 'anna', most: 2 } as const]
    open({ state: 'running', flow: { priority: 5, limits } }, [])
    expect(await screen.findByText('priority 5')).toBeInTheDocument()
    const link = screen.getByRole('link', { name: 'Counts in 2 slots: test/orders anna' })
    expect(link).toHaveTextContent('test/orders')
    expect(link).toHaveAttribute('href', '/workspace')
  })

  test('says when a run that has ended goes, and leads to the dead letters that it lies in', async () => {
    open({ state: 'faulted', endedAt: at(500), error: fault, keptUntil: at(86_400_000), deadLetter: true }, [])
    expect(await screen.findByText(/^kept until 2026-11-21 /)).toBeInTheDocument()
    expect(screen.getByRole('link', { name: 'in the dead letters' })).toHaveAttribute('href', '/workspace')
  })

  test('says when a run goes as soon as it has ended', async () => {
    const ended = { state: 'completed', position: 2, endedAt: at(500) } as const
    const runs = [runOf(), runOf({ ...ended, keptUntil: at(86_400_000) })]
    const asked = serve(({ path }) => {
      if (path.endsWith(runOf().id)) return { json: runs.shift() }
      return { json: { items: [], next: null } }
    })
    renderRun()
    expect(await screen.findByRole('status', { name: 'State of the run' })).toHaveTextContent('running')
    await new Promise(resolve => setTimeout(resolve))
    asked.say(`id: 2\nevent: record\ndata: ${JSON.stringify(recordOf(2, ended))}\n\n`)
    expect(await screen.findByText(/^kept until /)).toBeInTheDocument()
  })

  test('asks before it cancels and sends the reason', async () => {
    const path = `/api/v1/runs/${runOf().id}/cancellation`
    const asked = open({ state: 'waiting' }, [], 'timeline', { [path]: runOf() })
    await userEvent.click(await screen.findByRole('button', { name: 'Cancel' }))
    expect(asked.some(a => a.path === path)).toBe(false)
    await userEvent.type(screen.getByLabelText('Reason'), 'Not needed.')
    await userEvent.click(screen.getByRole('button', { name: 'Cancel the run' }))
    expect(await screen.findByText('Cancellation requested.')).toBeInTheDocument()
    expect(asked.find(a => a.path === path)!.body).toBe('{"reason":"Not needed."}')
  })

  test('cancels without cleaning up when told so, and says what that means', async () => {
    const path = `/api/v1/runs/${runOf().id}/cancellation`
    const asked = open({ state: 'waiting' }, [], 'timeline', { [path]: runOf() })
    await userEvent.click(await screen.findByRole('button', { name: 'Cancel' }))
    const cleanUp = screen.getByLabelText('Clean up')
    expect(cleanUp).toBeChecked()
    expect(cleanUp).toHaveAccessibleDescription(/completed steps .* are undone, the last one first/)
    await userEvent.click(cleanUp)
    expect(cleanUp).toHaveAccessibleDescription(/Nothing is undone/)
    await userEvent.click(screen.getByRole('button', { name: 'Cancel the run' }))
    expect(await screen.findByText('Cancellation requested.')).toBeInTheDocument()
    expect(asked.find(a => a.path === path)!.body).toBe('{"cleanUp":false}')
  })

  test('marks a step that undoes another one', async () => {
    open({ state: 'cancelled', endedAt: at(900) }, [
      stepOf(1, { name: 'book', state: 'completed', endedAt: at(300) }),
      stepOf(2, { name: 'undo book', state: 'completed', endedAt: at(900), compensates: 1 }),
    ])
    expect(await screen.findByRole('treeitem', { name: /undo book.*undoes step 1/ })).toBeInTheDocument()
    expect(screen.getAllByText('undoes step')).toHaveLength(1)
  })

  test('walks the tree of steps by arrows', async () => {
    open({ state: 'completed', endedAt: at(900) }, [
      stepOf(1, { name: 'loop', state: 'completed', endedAt: at(900) }),
      stepOf(2, { name: 'inner', parent: 1, iteration: 0, state: 'completed', endedAt: at(300) }),
      stepOf(3, { name: 'last', state: 'completed', endedAt: at(900) }),
    ])
    const rows = () => screen.getAllByRole('treeitem').map(r => r.getAttribute('data-step'))
    const loop = await screen.findByRole('treeitem', { name: /loop/ })
    loop.focus()
    await userEvent.keyboard('{ArrowLeft}')
    expect(rows()).toEqual(['1', '3'])
    expect(loop).toHaveAttribute('aria-expanded', 'false')
    await userEvent.keyboard('{ArrowRight}')
    expect(rows()).toEqual(['1', '2', '3'])
  })

  test('shows a problem with its code when the run is absent', async () => {
    serve(() => ({ status: 404, json: { title: 'There is no such run.', status: 404, code: 'run.not_found' } }))
    renderPage(
      <RunPage
        id="x"
        tab="graph"
        step={undefined}
        seq={undefined}
        onTab={() => {}}
        onStep={() => {}}
        onSeq={() => {}}
      />,
    )
    const alert = await screen.findByRole('alert')
    expect(alert).toHaveTextContent('There is no such run.')
    expect(alert).toHaveTextContent('run.not_found')
  })

  test('shows artifacts as what they are, and never as markup', async () => {
    const href = `/api/v1/runs/${runOf().id}/artifacts/report.md`
    const artifact = {
      name: 'report.md',
      mediaType: 'text/markdown',
      size: 60,
      sha256: 'ab'.repeat(32),
      createdAt: at(0),
      href,
    }
    serve(({ path }) => {
      if (path === href) return { text: '# Report\n\n<img src=x onerror=alert(1)> **done**' }
      if (path.endsWith('/artifacts')) return { json: { items: [artifact] } }
      if (path.includes('/steps')) return { json: { items: [], next: null } }
      return { json: runOf({ state: 'completed', endedAt: at(1) }) }
    })
    renderRun('artifacts')
    await userEvent.click(await screen.findByRole('button', { name: 'Preview' }))
    expect(await screen.findByRole('heading', { name: 'Report' })).toBeInTheDocument()
    expect(screen.getByText('done').tagName).toBe('STRONG')
    expect(document.querySelector('img')).toBeNull()
  })
})

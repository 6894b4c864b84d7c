import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
  useLocation,
} from '@tanstack/react-router'
import { render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { vi } from 'vitest'
import { NoticesProvider } from '~/components/ui/notices'
import { WorkspaceStreamProvider } from '~/lib/workspace-stream'

export interface Asked {
  method: string
  path: string
  body: string | undefined
  headers: Record<string, string>
}

type Answer = { status?: number; json?: unknown; text?: string } | undefined

/**
 * A server at the edge of the process: answers what a test tells it to and remembers what it was asked. Streams stay open;
 * `say` sends a message to all of them.
 */
export function serve(answer: (asked: Asked) => Answer | Promise<Answer>): Asked[] & { say: (text: string) => void } {
  const streams: ReadableStreamDefaultController<Uint8Array>[] = []
  const say = (text: string) => streams.forEach(s => s.enqueue(new TextEncoder().encode(text)))
  const log = Object.assign<Asked[], { say: typeof say }>([], { say })
  vi.stubGlobal('fetch', async (path: string, init: RequestInit = {}) => {
    const asked: Asked = {
      method: init.method ?? 'GET',
      path,
      body: init.body as string | undefined,
      headers: init.headers as Record<string, string>,
    }
    if (path.endsWith('/stream')) return new Response(new ReadableStream({ start: s => void streams.push(s) }))
    log.push(asked)
    const found = await answer(asked)
    if (!found)
      return Response.json({ title: `Nothing at ${path}.`, status: 404, code: 'test.absent' }, { status: 404 })
    if (found.text !== undefined) return new Response(found.text, { status: found.status ?? 200 })
    return Response.json(found.json, { status: found.status ?? 200 })
  })
  return log
}

/** Renders inside everything that pages stand in; links lead to a page that says its address. */
export function renderPage(page: ReactNode) {
  const root = createRootRoute()
  const home = createRoute({ getParentRoute: () => root, path: '/', component: () => page })
  const elsewhere = createRoute({
    getParentRoute: () => root,
    path: '$',
    component: function Elsewhere() {
      return <p>at{useLocation().pathname.replace('/', ' ')}</p>
    },
  })
  const router = createRouter({ routeTree: root.addChildren([home, elsewhere]), history: createMemoryHistory() })
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  return render(
    <QueryClientProvider client={client}>
      <WorkspaceStreamProvider>
        <NoticesProvider>
          <RouterProvider router={router as never} />
        </NoticesProvider>
      </WorkspaceStreamProvider>
    </QueryClientProvider>,
  )
}

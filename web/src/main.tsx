import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { NoticesProvider } from './components/ui/notices'
import { Problem } from './lib/http'
import { WorkspaceStreamProvider } from './lib/workspace-stream'
import { makeRouter } from './router'
import './styles/index.css'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // A refusal stays one; only what did not arrive is asked for again.
      retry: (failures, error) =>
        failures < 2 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
      retryDelay: attempt => 400 * 2 ** attempt,
      staleTime: 5_000,
    },
  },
})
const router = makeRouter(client)

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <WorkspaceStreamProvider>
        <NoticesProvider>
          <RouterProvider router={router} />
        </NoticesProvider>
      </WorkspaceStreamProvider>
    </QueryClientProvider>
  </StrictMode>,
)

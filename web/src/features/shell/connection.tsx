import { useWorkspaceStream } from '~/lib/workspace-stream'
import type { StreamStatus } from '~/lib/event-stream'

const words: Record<StreamStatus, { text: string; state: string; why: string }> = {
  connecting: { text: 'connecting', state: 'pending', why: 'Opening the stream of changes.' },
  open: { text: 'live', state: 'completed', why: 'Changes show as they happen.' },
  lost: {
    text: 'offline',
    state: 'faulted',
    why: 'The server cannot be reached. Trying again; nothing will be missed.',
  },
  paused: { text: 'paused', state: 'waiting', why: 'The page was hidden. Changes are caught up when it is back.' },
  ended: { text: 'closed', state: 'cancelled', why: 'The server refused the stream. Reload the page to try again.' },
}

/** Whether what the page shows is live. */
export function Connection() {
  const { status } = useWorkspaceStream()
  const { text, state, why } = words[status]
  return (
    <span role="status" data-state={state} title={why} className="inline-flex items-center gap-1.5 text-xs text-soft">
      <span aria-hidden className="relative flex size-2">
        <span className="size-2 rounded-full bg-(--state)" />
      </span>
      <span className="sr-only">Connection: </span>
      {text}
    </span>
  )
}

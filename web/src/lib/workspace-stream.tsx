import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react'
import type { Run } from './api'
import { followStream, type StreamStatus } from './event-stream'

interface WorkspaceStream {
  status: StreamStatus
  /** Called for each change of a run's state; answers the way to stop. */
  onRun: (listener: (run: Run) => void) => () => void
  /** Called when changes may have been missed: lists have to be read again. */
  onGap: (listener: () => void) => () => void
}

const WorkspaceStreamContext = createContext<WorkspaceStream | null>(null)

/** One workspace stream for the whole page; rooms listen to it. */
export function WorkspaceStreamProvider({ children }: { children: ReactNode }) {
  const [status, setStatus] = useState<StreamStatus>('connecting')
  const [runs] = useState(() => new Set<(run: Run) => void>())
  const [gaps] = useState(() => new Set<() => void>())

  useEffect(
    () =>
      followStream('/api/v1/stream', {
        onStatus: setStatus,
        onOpen: resumed => {
          // Without a position nothing says what happened between reading the lists and this moment.
          if (!resumed) for (const listener of gaps) listener()
        },
        onMessage: message => {
          if (message.event !== 'run') return
          const run = JSON.parse(message.data) as Run
          for (const listener of runs) listener(run)
        },
      }),
    [runs, gaps],
  )

  const value = useMemo<WorkspaceStream>(
    () => ({ status, onRun: listen(runs), onGap: listen(gaps) }),
    [status, runs, gaps],
  )
  return <WorkspaceStreamContext value={value}>{children}</WorkspaceStreamContext>
}

export function useWorkspaceStream(): WorkspaceStream {
  const stream = use(WorkspaceStreamContext)
  if (!stream) throw new Error('useWorkspaceStream stands outside its provider.')
  return stream
}

function listen<T>(listeners: Set<T>) {
  return (listener: T) => {
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }
}

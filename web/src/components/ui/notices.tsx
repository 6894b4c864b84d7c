import { X } from 'lucide-react'
import { createContext, use, useCallback, useEffect, useState, type ReactNode } from 'react'
import { Problem } from '~/lib/http'
import { IconButton } from './button'

interface Notice {
  key: number
  text: string
  state: 'completed' | 'faulted'
}

interface Notices {
  tell: (text: string) => void
  /** Shows why an action was refused. */
  refuse: (error: unknown) => void
}

const NoticesContext = createContext<Notices>({ tell: () => {}, refuse: () => {} })
const noticesMax = 4
let lastKey = 0

export const useNotices = () => use(NoticesContext)

/** Short messages about what an action did, read aloud politely. */
export function NoticesProvider({ children }: { children: ReactNode }) {
  const [notices, setNotices] = useState<Notice[]>([])
  const add = useCallback((text: string, state: Notice['state']) => {
    const key = ++lastKey
    setNotices(all => [...all, { key, text, state }].slice(-noticesMax))
  }, [])
  const drop = useCallback((key: number) => setNotices(all => all.filter(n => n.key !== key)), [])
  const [value] = useState<Notices>(() => ({
    tell: text => add(text, 'completed'),
    refuse: error => add(error instanceof Problem ? error.message : String(error), 'faulted'),
  }))
  return (
    <NoticesContext value={value}>
      {children}
      <div
        role="status"
        className="pointer-events-none fixed right-3 bottom-16 z-50 flex w-80 max-w-[calc(100vw-1.5rem)] flex-col gap-2 md:bottom-4"
      >
        {notices.map(notice => (
          <NoticeView key={notice.key} notice={notice} onDrop={drop} />
        ))}
      </div>
    </NoticesContext>
  )
}

function NoticeView({ notice, onDrop }: { notice: Notice; onDrop: (key: number) => void }) {
  const { key, state, text } = notice
  useEffect(() => {
    // A refusal stays until it was read.
    if (state === 'faulted') return
    const timer = setTimeout(() => onDrop(key), 5000)
    return () => clearTimeout(timer)
  }, [key, state, onDrop])
  return (
    <div
      data-state={state}
      className="pointer-events-auto flex items-start gap-2 rounded-md border border-line border-l-4 border-l-(--state) bg-raised py-1.5 pr-1 pl-3 shadow-lg"
    >
      <p className="min-w-0 flex-1 py-1 break-words">{text}</p>
      <IconButton label="Dismiss" onClick={() => onDrop(key)}>
        <X size={14} />
      </IconButton>
    </div>
  )
}

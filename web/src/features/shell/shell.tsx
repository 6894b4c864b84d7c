import { useQuery } from '@tanstack/react-query'
import { Link, useLocation, type LinkProps } from '@tanstack/react-router'
import { Activity, CalendarClock, FileCode2, Gauge, Monitor, Moon, Radio, Send, Sun, UserCheck } from 'lucide-react'
import { useEffect, useRef, type ReactNode } from 'react'
import { IconButton } from '~/components/ui/button'
import { systemQuery } from '~/lib/queries'
import { localZone } from '~/lib/time'
import { Connection } from './connection'
import { Logo } from './logo'
import { setTheme, useTheme, type Theme } from './theme'

const rooms: { to: LinkProps['to']; label: string; icon: typeof Activity }[] = [
  { to: '/runs', label: 'Runs', icon: Activity },
  { to: '/definitions', label: 'Definitions', icon: FileCode2 },
  { to: '/schedules', label: 'Schedules', icon: CalendarClock },
  { to: '/approvals', label: 'Approvals', icon: UserCheck },
  { to: '/events', label: 'Events', icon: Radio },
  { to: '/sinks', label: 'Sinks', icon: Send },
  { to: '/workspace', label: 'Workspace', icon: Gauge },
]

/** The frame around every room: ways between them, whether the page is live, what system this is. */
export function Shell({ children }: { children: ReactNode }) {
  const main = useFocusOnArrival()
  return (
    <div className="flex h-dvh flex-col md:flex-row">
      <a
        href="#main"
        className="absolute top-1 left-1 z-50 -translate-y-20 rounded-sm bg-accent px-3 py-1.5 font-medium text-accent-ink focus:translate-y-0"
      >
        Skip to content
      </a>
      <TopBar />
      <SideBar />
      <main
        ref={main}
        id="main"
        tabIndex={-1}
        className="flex min-h-0 min-w-0 flex-1 flex-col overflow-auto outline-none"
      >
        {children}
      </main>
      <BottomBar />
    </div>
  )
}

/** On another page the reader begins at its top, as after a full load: nothing else tells a screen reader about the change. */
function useFocusOnArrival() {
  const { pathname } = useLocation()
  const main = useRef<HTMLElement>(null)
  const last = useRef(pathname)
  useEffect(() => {
    if (last.current === pathname) return
    last.current = pathname
    main.current?.focus()
    main.current?.scrollTo({ top: 0 })
  }, [pathname])
  return main
}

function Home() {
  return (
    <Link to="/runs" className="flex items-center gap-2 text-base font-semibold tracking-tight">
      <Logo /> Millrace
    </Link>
  )
}

function TopBar() {
  return (
    <header className="flex h-12 shrink-0 items-center justify-between border-b border-line bg-surface px-4 md:hidden">
      <Home />
      <div className="flex items-center gap-2">
        <Connection />
        <ThemeToggle />
      </div>
    </header>
  )
}

function SideBar() {
  return (
    <aside className="hidden w-48 shrink-0 flex-col border-r border-line bg-surface md:flex">
      <div className="flex h-14 items-center px-4">
        <Home />
      </div>
      <nav aria-label="Rooms" className="flex flex-col gap-0.5 px-2">
        {rooms.map(({ to, label, icon: Icon }) => (
          <Link
            key={to}
            to={to}
            className="flex h-8 items-center gap-2.5 rounded-sm border-l-2 border-transparent px-2 text-sm text-soft hover:bg-accent-wash hover:text-ink"
            activeProps={{ className: '!border-accent bg-accent-wash font-medium !text-ink' }}
          >
            <Icon size={16} aria-hidden /> {label}
          </Link>
        ))}
      </nav>
      <div className="mt-auto flex flex-col gap-1 border-t border-line px-4 py-3">
        <div className="flex items-center justify-between">
          <Connection />
          <ThemeToggle />
        </div>
        <SystemLine />
      </div>
    </aside>
  )
}

function BottomBar() {
  return (
    <nav aria-label="Rooms" className="flex h-14 shrink-0 border-t border-line bg-surface md:hidden">
      {rooms.map(({ to, label, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          className="flex flex-1 flex-col items-center justify-center gap-0.5 border-t-2 border-transparent text-2xs text-soft -outline-offset-3"
          activeProps={{ className: '!border-accent font-medium !text-ink' }}
        >
          <Icon size={18} aria-hidden /> {label}
        </Link>
      ))}
    </nav>
  )
}

/** What answers: version, shape, and how much is in flight. */
function SystemLine() {
  const { data, isError } = useQuery(systemQuery)
  if (isError) return <p className="text-2xs text-soft">The system does not answer.</p>
  if (!data) return <p className="text-2xs text-soft">…</p>
  const open = ['pending', 'running', 'waiting', 'suspended'] as const
  const inFlight = open.reduce((sum, state) => sum + (data.runs?.[state] ?? 0), 0)
  return (
    <p className="text-2xs leading-relaxed text-soft">
      <span className="tabular">{inFlight} in flight</span>
      <br />
      {data.shape} · <span className="font-mono">{data.version}</span>
      <br />
      times in {localZone}
    </p>
  )
}

const next: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const themeIcons = { system: Monitor, light: Sun, dark: Moon }

function ThemeToggle() {
  const theme = useTheme()
  const Icon = themeIcons[theme]
  return (
    <IconButton label={`Theme: ${theme}. Change to ${next[theme]}`} onClick={() => setTheme(next[theme])}>
      <Icon size={15} />
    </IconButton>
  )
}

import { useRef, type KeyboardEvent, type ReactNode } from 'react'

export interface Tab<Id extends string> {
  id: Id
  label: string
  /** Beside the label, such as a count. */
  badge?: ReactNode
}

interface TabsProps<Id extends string> {
  name: string
  tabs: readonly Tab<Id>[]
  active: Id
  onSelect: (id: Id) => void
}

/** A row of tabs; arrow keys, Home and End move among them (ARIA authoring practices, Tabs). */
export function Tabs<Id extends string>({ name, tabs, active, onSelect }: TabsProps<Id>) {
  const row = useRef<HTMLDivElement>(null)
  const move = (event: KeyboardEvent) => {
    const at = tabs.findIndex(t => t.id === active)
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key]
    if (to === undefined) return
    event.preventDefault()
    const tab = tabs[(to + tabs.length) % tabs.length]!
    onSelect(tab.id)
    row.current?.querySelector<HTMLElement>(`[id="${tabId(name, tab.id)}"]`)?.focus()
  }
  return (
    <div
      ref={row}
      role="tablist"
      aria-label={name}
      tabIndex={-1}
      onKeyDown={move}
      className="flex overflow-x-auto border-b border-line px-2 [scrollbar-width:none]"
    >
      {tabs.map(tab => (
        <button
          key={tab.id}
          id={tabId(name, tab.id)}
          type="button"
          role="tab"
          aria-selected={tab.id === active}
          aria-controls={panelId(name, tab.id)}
          tabIndex={tab.id === active ? 0 : -1}
          onClick={() => onSelect(tab.id)}
          className="-mb-px flex h-9 shrink-0 items-center gap-1.5 border-b-2 border-transparent px-2.5 text-sm text-soft -outline-offset-2 hover:text-ink aria-selected:border-accent aria-selected:font-medium aria-selected:text-ink"
        >
          {tab.label}
          {tab.badge !== undefined && (
            <span className="tabular rounded-sm bg-sunken px-1 text-2xs text-soft">{tab.badge}</span>
          )}
        </button>
      ))}
    </div>
  )
}

export function TabPanel({
  name,
  id,
  children,
  className = '',
}: {
  name: string
  id: string
  children: ReactNode
  className?: string
}) {
  return (
    <div role="tabpanel" id={panelId(name, id)} aria-labelledby={tabId(name, id)} className={className}>
      {children}
    </div>
  )
}

const slug = (name: string) => name.toLowerCase().replaceAll(/\W+/g, '-')
const tabId = (name: string, id: string) => `${slug(name)}-tab-${id}`
const panelId = (name: string, id: string) => `${slug(name)}-panel-${id}`

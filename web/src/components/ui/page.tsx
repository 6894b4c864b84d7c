import { Link, type LinkProps } from '@tanstack/react-router'
import { useEffect, type ReactNode } from 'react'

/** Sets the page's title while it is shown. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Millrace`
  }, [title])
}

interface PageHeaderProps {
  title: ReactNode
  /** Above the title: where this page hangs. */
  trail?: ReactNode
  actions?: ReactNode
  children?: ReactNode
}

export function PageHeader({ title, trail, actions, children }: PageHeaderProps) {
  return (
    <header className="flex flex-col gap-2 border-b border-line bg-surface px-4 py-3 md:px-6">
      {trail && (
        <nav aria-label="Breadcrumb" className="text-xs text-soft">
          {trail}
        </nav>
      )}
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <h1 className="min-w-0 text-xl leading-tight font-semibold tracking-tight">{title}</h1>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
      {children}
    </header>
  )
}

/** The way back to the list that a page hangs from. */
export function Trail({ to, children }: { to: LinkProps['to']; children: string }) {
  return (
    <Link to={to} className="hover:underline">
      {children}
    </Link>
  )
}

/** A part of a page with a name. */
export function Panel({
  title,
  actions,
  children,
  className = '',
}: {
  title: string
  actions?: ReactNode
  children: ReactNode
  className?: string
}) {
  return (
    <section aria-label={title} className={`min-w-0 border-line bg-surface ${className}`}>
      <header className="flex min-h-9 items-center justify-between gap-3 border-b border-line px-4 py-1">
        <h2 className="label">{title}</h2>
        {actions && <div className="flex items-center gap-1">{actions}</div>}
      </header>
      {children}
    </section>
  )
}

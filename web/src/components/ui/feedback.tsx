import { CircleAlert, RotateCw } from 'lucide-react'
import type { ReactNode } from 'react'
import { Problem } from '~/lib/http'
import { Button } from './button'

/** Nothing is here, and what to do about it. */
export function EmptyState({ title, children, icon }: { title: string; children?: ReactNode; icon?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 px-6 py-12 text-center">
      {icon && <div className="text-soft">{icon}</div>}
      <h3 className="text-base font-semibold">{title}</h3>
      <div className="flex max-w-prose flex-col items-center gap-3 text-soft">{children}</div>
    </div>
  )
}

/** Lines where content will stand. Quiet for the first moment, so that a fast answer does not flicker. */
export function Loading({ rows = 6, what }: { rows?: number; what: string }) {
  return (
    <div role="status" className="flex flex-col gap-3 p-4">
      <span className="sr-only">Loading {what}</span>
      {Array.from({ length: rows }, (_, i) => (
        <div
          key={i}
          aria-hidden
          className="h-4 animate-pulse rounded-sm bg-sunken"
          style={{ width: `${92 - ((i * 37) % 45)}%`, animationDelay: '0.2s' }}
        />
      ))}
    </div>
  )
}

/** The rest of a list that comes in pages; nothing when all of it is there. */
export function LoadMore({
  list,
}: {
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }
}) {
  if (!list.hasNextPage) return null
  return (
    <div className="p-4 text-center">
      <Button onClick={() => void list.fetchNextPage()} disabled={list.isFetchingNextPage}>
        Load more
      </Button>
    </div>
  )
}

/** A problem in full: what, why, where, its code, and the way to try again. */
export function ProblemView({
  error,
  retry,
  title,
}: {
  error: unknown
  retry?: (() => void) | undefined
  title?: string
}) {
  const problem = error instanceof Problem ? error : new Problem(0, 'page.error', 'This page failed.', String(error))
  return (
    <div role="alert" data-state="faulted" className="m-4 flex gap-3 rounded-md border border-(--state) bg-surface p-3">
      <CircleAlert size={18} className="mt-0.5 shrink-0 text-faulted" aria-hidden />
      <div className="flex min-w-0 flex-col items-start gap-1.5">
        <p className="font-semibold">{title ? `${title} ${problem.title}` : problem.title}</p>
        {problem.detail && <p className="text-soft">{problem.detail}</p>}
        <Causes problem={problem} />
        <p className="font-mono text-xs text-soft">
          {problem.code}
          {problem.status > 0 && ` · ${problem.status}`}
        </p>
        {retry && (
          <Button size="sm" onClick={retry}>
            <RotateCw size={13} aria-hidden /> Try again
          </Button>
        )}
      </div>
    </div>
  )
}

function Causes({ problem }: { problem: Problem }) {
  if (problem.causes.length === 0) return null
  return (
    <ul className="list-disc pl-4">
      {problem.causes.slice(0, 10).map((cause, i) => (
        <li key={i}>
          {cause.line !== undefined && <span className="text-soft">Line {cause.line}: </span>}
          {cause.pointer && <code className="font-mono text-xs">{cause.pointer}</code>} {cause.message}
        </li>
      ))}
      {problem.causes.length > 10 && <li>and {problem.causes.length - 10} more</li>}
    </ul>
  )
}

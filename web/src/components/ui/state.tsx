import type { StepState } from '~/lib/api'

// Every state has a shape of its own: colour alone tells nothing to some.
const shapes: Record<StepState, React.ReactNode> = {
  pending: <circle cx="8" cy="8" r="5.5" fill="none" strokeDasharray="2.2 2.2" />,
  running: (
    <>
      <circle cx="8" cy="8" r="5.5" fill="none" strokeOpacity="0.3" />
      <path className="turn" d="M8 2.5A5.5 5.5 0 0 1 13.5 8" fill="none" />
    </>
  ),
  waiting: (
    <>
      <circle cx="8" cy="8" r="5.5" fill="none" />
      <path d="M8 4.8V8l2.2 1.4" fill="none" />
    </>
  ),
  suspended: (
    <>
      <circle cx="8" cy="8" r="5.5" fill="none" />
      <path d="M6.5 5.8v4.4M9.5 5.8v4.4" />
    </>
  ),
  cancelled: (
    <>
      <circle cx="8" cy="8" r="5.5" fill="none" />
      <path d="M4.4 11.6l7.2-7.2" />
    </>
  ),
  faulted: (
    <>
      <path d="M8 1.6 14.4 8 8 14.4 1.6 8Z" fill="var(--state)" />
      <path d="M8 5v3.4M8 10.6v.2" stroke="var(--surface)" strokeWidth="1.7" />
    </>
  ),
  completed: (
    <>
      <circle cx="8" cy="8" r="6.2" fill="var(--state)" stroke="none" />
      <path d="M5.2 8.2 7.2 10.2 10.8 6" fill="none" stroke="var(--surface)" strokeWidth="1.7" />
    </>
  ),
  skipped: <path d="M3 8h6.5M7 5l3 3-3 3M13 4.5v7" fill="none" />,
}

/** The sign of a state; named only where no word stands beside it. */
export function StateMark({ state, named = false, size = 14 }: { state: StepState; named?: boolean; size?: number }) {
  return (
    <svg
      data-state={state}
      viewBox="0 0 16 16"
      width={size}
      height={size}
      className="shrink-0"
      stroke="var(--state)"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      {...(named ? { role: 'img', 'aria-label': state } : { 'aria-hidden': true })}
    >
      {shapes[state]}
    </svg>
  )
}

export function StateLabel({ state, large = false }: { state: StepState; large?: boolean }) {
  return (
    <span
      data-state={state}
      className={`inline-flex items-center gap-1.5 font-medium text-(--state) ${large ? 'text-base' : ''}`}
    >
      <StateMark state={state} size={large ? 17 : 14} />
      {state}
    </span>
  )
}

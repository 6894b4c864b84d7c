import { TerminalSquare } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { CopyButton } from '~/components/ui/copy-button'
import { EmptyState } from '~/components/ui/feedback'
import { isFinished, type Step } from '~/lib/api'
import { formatTime } from '~/lib/time'
import type { LiveLine, RunView } from './run-fold-model'

interface LiveOutputProps {
  view: RunView
  lines: readonly LiveLine[]
  onStep: (step: number) => void
}

/** What steps print while they work. The server does not keep it: only what came since the page was opened is here. */
export function LiveOutput({ view, lines, onStep }: LiveOutputProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const follows = useRef(true)
  useEffect(() => {
    const element = scroller.current
    if (element && lines.length > 0 && follows.current) element.scrollTop = element.scrollHeight
  }, [lines])
  if (lines.length === 0)
    return (
      <EmptyState title="No live output" icon={<TerminalSquare size={28} aria-hidden />}>
        {isFinished(view.run.state)
          ? 'Live output is shown while it arrives and is not kept. What a step returned is its output.'
          : 'What steps print while they work appears here. It is not kept: leave this page and it is gone.'}
      </EmptyState>
    )
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <div className="absolute top-1 right-3 z-1">
        <CopyButton text={() => lines.map(l => l.text).join('\n')} label="Copy the output" />
      </div>
      <div
        ref={scroller}
        role="log"
        aria-label="Live output"
        // Scrolls by keyboard.
        tabIndex={0}
        onScroll={event => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget
          follows.current = scrollHeight - scrollTop - clientHeight < 40
        }}
        className="min-h-0 flex-1 overflow-auto bg-sunken py-2 font-mono text-xs leading-5 -outline-offset-2"
      >
        {lines.map((line, i) => (
          <Line
            key={line.key}
            line={line}
            step={view.steps.get(line.step)}
            first={lines[i - 1]?.step !== line.step}
            onStep={onStep}
          />
        ))}
      </div>
    </div>
  )
}

function Line({
  line,
  step,
  first,
  onStep,
}: {
  line: LiveLine
  step: Step | undefined
  first: boolean
  onStep: (step: number) => void
}) {
  return (
    <div className="flex gap-3 px-4">
      <span className="w-28 shrink-0 truncate text-right">
        {first && (
          <button type="button" onClick={() => onStep(line.step)} className="text-accent hover:underline">
            {step?.name ?? `step ${line.step}`}
          </button>
        )}
      </span>
      <span
        title={`${line.channel}, ${formatTime(line.at)}`}
        data-state={line.channel === 'stderr' ? 'faulted' : undefined}
        className="min-w-0 break-words whitespace-pre-wrap data-[state]:text-(--state)"
      >
        {line.text}
      </span>
    </div>
  )
}

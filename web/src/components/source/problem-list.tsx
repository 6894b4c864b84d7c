import { CircleAlert, Info, TriangleAlert } from 'lucide-react'
import type { LineMarker } from './source-model'

const icons = { error: CircleAlert, warning: TriangleAlert, note: Info }
const states = { error: 'faulted', warning: 'waiting', note: 'running' } as const

/** The problems of a document in its order; each one leads to its line. */
export function ProblemList({
  markers,
  onJump,
}: {
  markers: readonly LineMarker[]
  onJump: (marker: LineMarker) => void
}) {
  return (
    <ul aria-label="Problems" className="divide-y divide-line">
      {markers.map((marker, i) => {
        const Icon = icons[marker.severity]
        return (
          <li key={i} data-state={states[marker.severity]}>
            <button
              type="button"
              onClick={() => onJump(marker)}
              className="flex w-full items-start gap-2 px-4 py-1.5 text-left -outline-offset-2 hover:bg-accent-wash"
            >
              <Icon size={14} className="mt-0.5 shrink-0 text-(--state)" aria-label={marker.severity} />
              <span className="min-w-0 flex-1">
                {marker.message}
                {marker.hint && <span className="text-soft"> {marker.hint}</span>}
              </span>
              <span className="tabular shrink-0 font-mono text-xs text-soft">
                {marker.line}
                {marker.column !== undefined && `:${marker.column}`}
              </span>
            </button>
          </li>
        )
      })}
    </ul>
  )
}

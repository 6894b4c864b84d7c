import type { UseQueryResult } from '@tanstack/react-query'
import { Loading, ProblemView } from '~/components/ui/feedback'
import type { DefinitionSummary, Page } from '~/lib/api'
import { formatMoment, formatRelative, useNow } from '~/lib/time'

interface VersionListProps {
  query: UseQueryResult<Page<DefinitionSummary>>
  current: string
  onVersion: (version: string) => void
}

export function VersionList({ query, current, onVersion }: VersionListProps) {
  const now = useNow('slow')
  if (query.isError) return <ProblemView error={query.error} retry={() => void query.refetch()} />
  if (!query.data) return <Loading what="the versions" />
  return (
    <ul className="divide-y divide-line border-b border-line bg-surface">
      {query.data.items.map((item, i) => (
        <li key={item.version}>
          <button
            type="button"
            aria-current={item.version === current ? 'true' : undefined}
            onClick={() => onVersion(item.version)}
            className="flex w-full items-baseline gap-4 border-l-2 border-transparent px-4 py-2 text-left -outline-offset-2 hover:bg-accent-wash aria-[current]:border-accent md:px-6"
          >
            <span className="tabular w-24 font-mono font-medium">{item.version}</span>
            <code className="w-28 font-mono text-xs text-soft">{item.hash.slice(0, 12)}</code>
            <span className="text-xs text-soft" title={formatMoment(item.createdAt)}>
              pushed {formatRelative(item.createdAt, now)}
            </span>
            {i === 0 && <span className="rounded-sm bg-sunken px-1.5 text-2xs text-soft">latest</span>}
          </button>
        </li>
      ))}
    </ul>
  )
}

interface VersionPickerProps {
  version: string
  versions: readonly DefinitionSummary[]
  onVersion: (version: string) => void
}

export function VersionPicker({ version, versions, onVersion }: VersionPickerProps) {
  const known = versions.some(v => v.version === version)
  return (
    <label className="inline-flex items-center gap-1.5">
      version
      <select
        value={version}
        onChange={event => onVersion(event.target.value)}
        className="h-6 rounded-sm border border-edge bg-raised px-1 font-mono text-xs text-ink"
      >
        {!known && <option>{version}</option>}
        {versions.map(v => (
          <option key={v.version}>{v.version}</option>
        ))}
      </select>
    </label>
  )
}

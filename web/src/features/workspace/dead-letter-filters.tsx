import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { inputClass } from '~/components/ui/field'
import type { DeadLetterFilter } from './workspace'

interface FiltersProps {
  filter: DeadLetterFilter
  onFilter: (filter: DeadLetterFilter) => void
}

/** Which dead letters are shown: by kind, reason and definition. */
export function DeadLetterFilters({ filter, onFilter }: FiltersProps) {
  const [reason, setReason] = useState(filter.reason ?? '')
  const [definition, setDefinition] = useState(filter.definition ?? '')
  const [kind, setKind] = useState<DeadLetterFilter['kind'] | ''>(filter.kind ?? '')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const [r, d] = [reason.trim(), definition.trim()]
    onFilter({ ...(kind ? { kind } : {}), ...(r ? { reason: r } : {}), ...(d ? { definition: d } : {}) })
  }
  const line = `${inputClass} h-7 max-w-full !py-0`
  return (
    <form
      onSubmit={submit}
      aria-label="Filter the dead letters"
      className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2"
    >
      <select
        aria-label="Kind"
        value={kind}
        onChange={e => setKind(e.target.value as typeof kind)}
        className={`${line} !w-36`}
      >
        <option value="">any kind</option>
        <option value="run">runs</option>
        <option value="event">events</option>
        <option value="schedule">schedules</option>
      </select>
      <input
        aria-label="Reason"
        placeholder="Reason: run.given_up"
        value={reason}
        maxLength={300}
        autoComplete="off"
        onChange={e => setReason(e.target.value)}
        className={`${line} !w-48`}
      />
      <input
        aria-label="Definition"
        placeholder="Definition: namespace/name"
        value={definition}
        maxLength={300}
        autoComplete="off"
        onChange={e => setDefinition(e.target.value)}
        className={`${line} !w-56`}
      />
      <Button size="sm" type="submit">
        Filter
      </Button>
      {Object.keys(filter).length > 0 && (
        <Button size="sm" look="quiet" onClick={() => onFilter({})}>
          All dead letters
        </Button>
      )}
    </form>
  )
}

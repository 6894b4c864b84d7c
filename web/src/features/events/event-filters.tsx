import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { inputClass } from '~/components/ui/field'
import type { EventFilter } from './event'

/** A type and a source, each as a whole; what is typed holds once it is asked for. */
export function EventFilters({ filter, onFilter }: { filter: EventFilter; onFilter: (filter: EventFilter) => void }) {
  const [type, setType] = useState(filter.type ?? '')
  const [source, setSource] = useState(filter.source ?? '')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const [t, s] = [type.trim(), source.trim()]
    onFilter({ ...(t ? { type: t } : {}), ...(s ? { source: s } : {}) })
  }
  return (
    <form onSubmit={submit} aria-label="Filter the events" className="flex flex-wrap items-center gap-2">
      <input
        aria-label="Type"
        placeholder="Type: com.example.order.paid"
        value={type}
        maxLength={512}
        autoComplete="off"
        onChange={e => setType(e.target.value)}
        className={`${inputClass} h-7 !w-64 max-w-full !py-0`}
      />
      <input
        aria-label="Source"
        placeholder="Source: /shop"
        value={source}
        maxLength={1024}
        autoComplete="off"
        onChange={e => setSource(e.target.value)}
        className={`${inputClass} h-7 !w-48 max-w-full !py-0`}
      />
      <Button size="sm" type="submit">
        Filter
      </Button>
      {(filter.type || filter.source) && (
        <Button size="sm" look="quiet" onClick={() => onFilter({})}>
          All events
        </Button>
      )}
    </form>
  )
}

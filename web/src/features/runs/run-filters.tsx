import { useQuery } from '@tanstack/react-query'
import { X } from 'lucide-react'
import { useId, useState } from 'react'
import { Button } from '~/components/ui/button'
import { inputClass } from '~/components/ui/field'
import { StateMark } from '~/components/ui/state'
import { runStates, type RunState } from '~/lib/api'
import { definitionNamesQuery, systemQuery } from '~/lib/queries'
import type { RunFilter } from './run-list-model'

export interface FilterProps {
  filter: RunFilter
  onFilter: (filter: {
    state?: RunState[]
    definition?: string
    parent?: string
    forkOf?: string
    children?: true
  }) => void
}

/** The filter without members that say nothing: what belongs into the address. */
export const definedOf = ({ state, definition, parent, forkOf, children }: RunFilter) => ({
  ...(state ? { state } : {}),
  ...(definition ? { definition } : {}),
  ...(parent ? { parent } : {}),
  ...(forkOf ? { forkOf } : {}),
  ...(children ? { children: true as const } : {}),
})

/** @param withChildren Whether runs that other runs have started are counted as well. */
export function StateFilter({
  chosen,
  withChildren,
  onChoose,
}: {
  chosen: readonly RunState[]
  withChildren: boolean
  onChoose: (states: RunState[]) => void
}) {
  const { data } = useQuery(systemQuery)
  const count = (state: RunState) => (data?.runs?.[state] ?? 0) - (withChildren ? 0 : (data?.children?.[state] ?? 0))
  const toggle = (state: RunState) =>
    onChoose(chosen.includes(state) ? chosen.filter(s => s !== state) : [...chosen, state])
  return (
    <div role="group" aria-label="Filter by state" className="-mx-1 flex flex-wrap gap-1">
      {runStates.map(state => (
        <button
          key={state}
          type="button"
          aria-pressed={chosen.includes(state)}
          onClick={() => toggle(state)}
          className="flex h-7 items-center gap-1.5 rounded-sm border border-line px-2 text-soft hover:border-edge hover:text-ink aria-pressed:border-accent aria-pressed:bg-accent-wash aria-pressed:text-ink"
        >
          <StateMark state={state} size={13} />
          {state}
          {data && <span className="tabular text-xs font-medium text-ink">{count(state)}</span>}
        </button>
      ))}
      {chosen.length > 0 && (
        <Button look="quiet" size="sm" onClick={() => onChoose([])}>
          All states
        </Button>
      )}
    </div>
  )
}

/** Whether runs that other runs have started are listed too; of a parent's children, or of forks, that is no question. */
export function ChildrenSwitch({ filter, onFilter }: FilterProps) {
  if (filter.parent || filter.forkOf) return null
  const { children, ...rest } = definedOf(filter)
  return (
    <label className="flex h-7 items-center gap-1.5 text-soft">
      <input
        type="checkbox"
        checked={Boolean(children)}
        onChange={e => onFilter(e.target.checked ? { ...rest, children: true } : rest)}
      />
      Children too
    </label>
  )
}

const labels = { definition: 'definition', parent: 'parent', forkOf: 'fork of' }

/** Of which definition, of which parent, forks of which run. */
export function PlaceFilters({ filter, onFilter }: FilterProps) {
  const rest = definedOf(filter)
  const without = (key: 'definition' | 'parent' | 'forkOf') =>
    onFilter(Object.fromEntries(Object.entries(rest).filter(([k]) => k !== key)))
  const chips = (['definition', 'parent', 'forkOf'] as const).filter(key => filter[key])
  return (
    <div className="flex flex-wrap gap-1.5">
      {!filter.definition && <DefinitionFilter onChoose={definition => onFilter({ ...rest, definition })} />}
      {chips.map(key => (
        <button
          key={key}
          type="button"
          onClick={() => without(key)}
          aria-label={`Remove the filter ${labels[key]} ${filter[key]}`}
          className="flex h-7 max-w-full items-center gap-1.5 rounded-sm border border-accent bg-accent-wash px-2"
        >
          <span className="text-soft">{labels[key]}</span>
          <span className="truncate font-mono text-xs">{filter[key]}</span>
          <X size={13} aria-hidden />
        </button>
      ))}
    </div>
  )
}

/** Takes a name as soon as it is one that exists, or the text as it stands on Enter. */
function DefinitionFilter({ onChoose }: { onChoose: (definition: string) => void }) {
  const { data: names = [] } = useQuery(definitionNamesQuery)
  const [text, setText] = useState('')
  const list = useId()
  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        if (text.trim() !== '') onChoose(text.trim())
      }}
    >
      <input
        aria-label="Filter by definition"
        placeholder="Definition: namespace/name"
        list={list}
        value={text}
        maxLength={300}
        autoComplete="off"
        onChange={event => {
          setText(event.target.value)
          if (names.includes(event.target.value)) onChoose(event.target.value)
        }}
        className={`${inputClass} h-7 !w-64 max-w-full !py-0`}
      />
      <datalist id={list}>
        {names.map(name => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </datalist>
    </form>
  )
}

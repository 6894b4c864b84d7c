import { ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { CopyButton } from '~/components/ui/copy-button'
import type { Json } from '~/lib/api'
import { childrenOf, previewOf, textMax } from './json-model'

/** A JSON value as a tree. Large values are cut until asked for; copying always gives the whole. */
export function JsonView({ value, label }: { value: Json; label: string }) {
  return (
    <div className="relative">
      <div className="absolute top-1 right-1 z-1">
        <CopyButton text={() => JSON.stringify(value, null, 2)} label={`Copy ${label}`} />
      </div>
      {/* Scrolls by keyboard when it is long. */}
      <div
        role="region"
        aria-label={label}
        tabIndex={0}
        className="max-h-96 overflow-auto py-2 pr-9 pl-3 font-mono text-xs leading-6 -outline-offset-2"
      >
        <Value value={value} depth={0} />
      </div>
    </div>
  )
}

function Value({ value, depth, name }: { value: Json; depth: number; name?: string }) {
  const children = childrenOf(value)
  if (children === null || children.length === 0) {
    return (
      <div className="pl-4 wrap-anywhere whitespace-pre-wrap">
        <Name name={name} />
        <Leaf value={value} />
      </div>
    )
  }
  return <Branch value={value} members={children} depth={depth} name={name} />
}

const membersAtFirst = 50

function Branch({
  value,
  members,
  depth,
  name,
}: {
  value: Json
  members: [string, Json][]
  depth: number
  name: string | undefined
}) {
  const [open, setOpen] = useState(depth < 2)
  const [shown, setShown] = useState(membersAtFirst)
  return (
    <div>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex w-full items-start text-left -outline-offset-1"
      >
        <ChevronRight
          size={12}
          aria-hidden
          className={`mt-1.5 mr-1 shrink-0 text-soft transition-transform ${open ? 'rotate-90' : ''}`}
        />
        <span className={`min-w-0 ${open ? 'break-words' : 'truncate'}`}>
          <Name name={name} />
          <span className="text-soft">
            {open ? (Array.isArray(value) ? `[ ${members.length}` : '{') : previewOf(value)}
          </span>
        </span>
      </button>
      {open && (
        <div className="ml-[5px] border-l border-line pl-2">
          {members.slice(0, shown).map(([key, member]) => (
            <Value key={key} name={key} value={member} depth={depth + 1} />
          ))}
          {members.length > shown && (
            <button type="button" className="min-h-6 pl-4 text-accent underline" onClick={() => setShown(shown * 4)}>
              {members.length - shown} more
            </button>
          )}
        </div>
      )}
    </div>
  )
}

function Name({ name }: { name: string | undefined }) {
  if (name === undefined) return null
  return (
    <>
      <span className="tok-key">{name}</span>
      <span className="text-soft">: </span>
    </>
  )
}

function Leaf({ value }: { value: Json }) {
  const [whole, setWhole] = useState(false)
  if (typeof value !== 'string')
    return <span className={value === null ? 'text-soft' : 'tok-number'}>{JSON.stringify(value)}</span>
  const cut = !whole && value.length > textMax
  return (
    <>
      <span className="tok-string">{JSON.stringify(cut ? value.slice(0, textMax) : value)}</span>
      {cut && (
        <button type="button" className="ml-1 text-accent underline" onClick={() => setWhole(true)}>
          {value.length - textMax} more characters
        </button>
      )}
    </>
  )
}

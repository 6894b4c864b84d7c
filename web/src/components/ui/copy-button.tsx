import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { IconButton } from './button'

export function CopyButton({
  text,
  label,
  className,
}: {
  text: string | (() => string)
  label: string
  className?: string
}) {
  const [done, setDone] = useState(false)
  useEffect(() => {
    if (!done) return
    const timer = setTimeout(() => setDone(false), 1600)
    return () => clearTimeout(timer)
  }, [done])
  return (
    <IconButton
      label={done ? 'Copied' : label}
      {...(className ? { className } : {})}
      onClick={() => {
        const value = typeof text === 'string' ? text : text()
        void copy(value).then(() => setDone(true))
      }}
    >
      {done ? <Check size={14} /> : <Copy size={14} />}
    </IconButton>
  )
}

/** The clipboard interface is absent on plain HTTP from another host; the old command still works there. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}

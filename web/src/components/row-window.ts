import { useLayoutEffect, useState, type RefObject } from 'react'

export interface RowWindow {
  /** Rows to render: from inclusive, to exclusive. */
  from: number
  to: number
  /** Brings a row into view. */
  show: (row: number) => void
}

const spare = 8

/** The rows of equal height that a scroller shows, and a few around them: long lists stay cheap. */
export function useRowWindow(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
  top = 0,
): RowWindow {
  const [range, setRange] = useState({ from: 0, to: 40 })
  useLayoutEffect(() => {
    const element = scroller.current
    if (!element) return
    const measure = () => {
      const from = Math.max(0, Math.floor(element.scrollTop / rowHeight) - spare)
      const to = Math.ceil((element.scrollTop + element.clientHeight) / rowHeight) + spare
      setRange(old => (old.from === from && old.to === to ? old : { from, to: Math.max(to, from + 40) }))
    }
    measure()
    element.addEventListener('scroll', measure, { passive: true })
    const observer = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(measure)
    observer?.observe(element)
    return () => {
      element.removeEventListener('scroll', measure)
      observer?.disconnect()
    }
  }, [scroller, rowHeight])
  const show = (row: number) => {
    const element = scroller.current
    if (!element) return
    const y = row * rowHeight
    const below = y + rowHeight + top - element.clientHeight
    if (y < element.scrollTop) element.scrollTo({ top: y })
    else if (below > element.scrollTop) element.scrollTo({ top: below })
  }
  return { from: Math.min(range.from, count), to: Math.min(range.to, count), show }
}

import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { SourceView } from '~/components/source/source-view'
import { blockAt, nodeAtPointer } from '~/components/source/source-model'
import { Loading, ProblemView } from '~/components/ui/feedback'
import { graphQuery, sourceQuery } from '~/lib/queries'
import { useErrorPlace } from './error-panel'
import type { RunView } from './run-fold-model'

/** The document of the run: the line at fault marked, the task of the selected step set off. */
export function RunSource({ view, step }: { view: RunView; step: number | undefined }) {
  const { definition, error } = view.run
  const source = useQuery(sourceQuery(definition))
  const graph = useQuery(graphQuery(definition))
  const place = useErrorPlace(view, error)
  const reference = step === undefined ? undefined : view.steps.get(step)?.reference
  const line = (reference && graph.data && nodeAtPointer(graph.data.nodes, reference)?.line) || place?.marker.line
  const focus = useMemo(() => (line ? { line, nonce: line } : undefined), [line])
  if (source.isError) return <ProblemView error={source.error} retry={() => void source.refetch()} />
  if (source.data === undefined) return <Loading what="the source" rows={12} />
  return (
    <SourceView
      source={source.data}
      label="Source of the run's definition"
      markers={place ? [place.marker] : []}
      focus={focus}
      block={reference && line ? blockAt(source.data, line) : undefined}
      className="flex-1 bg-surface"
    />
  )
}

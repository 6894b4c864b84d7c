import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { CircleCheck, Upload } from 'lucide-react'
import { lazy, Suspense, useEffect, useMemo, useState } from 'react'
import { ProblemList } from '~/components/source/problem-list'
import { countMarkers, markersOf, type LineMarker } from '~/components/source/source-model'
import { Button } from '~/components/ui/button'
import { Loading, ProblemView } from '~/components/ui/feedback'
import { useNotices } from '~/components/ui/notices'
import { PageHeader, Trail, usePageTitle } from '~/components/ui/page'
import { Problem } from '~/lib/http'
import { sourceQuery } from '~/lib/queries'
import { pushDefinition, validationQuery } from './api'
import { firstDefinition, nextVersion, parseFrom } from './editor-model'

const SourceEditor = lazy(() => import('~/components/source/source-editor'))

/** Writes a definition, checked by the server as it is typed, and pushes it. */
export default function EditorPage({ from }: { from: string | undefined }) {
  usePageTitle('New definition')
  const origin = from ? parseFrom(from) : null
  const source = useQuery({
    ...sourceQuery(origin ?? { namespace: '', name: '', version: '' }),
    enabled: origin !== null,
  })
  if (origin && source.isError) return <ProblemView error={source.error} retry={() => void source.refetch()} />
  if (origin && source.data === undefined) return <Loading what="the source" rows={12} />
  const initial = origin && source.data !== undefined ? nextVersion(source.data, origin.version) : firstDefinition
  return <Editor initial={initial} {...(from ? { from } : {})} />
}

function Editor({ initial, from }: { initial: string; from?: string }) {
  const [text, setText] = useState(initial)
  const settled = useSettled(text, 350)
  const [jump, setJump] = useState<{ line: number; column: number; nonce: number }>()
  const validation = useQuery({ ...validationQuery(settled), placeholderData: keepPreviousData })
  const { push, refused } = usePush(text)
  const found = validation.data?.diagnostics
  const markers = useMemo(() => markersOf(found ?? []), [found])
  const checking = settled !== text || validation.isFetching
  const goTo = (m: LineMarker) => setJump({ line: m.line, column: m.column ?? 1, nonce: Date.now() })
  return (
    <>
      <PageHeader
        trail={<Trail to="/definitions">Definitions</Trail>}
        title={from ? 'New version' : 'New definition'}
        actions={
          <Button look="solid" onClick={() => push.mutate()} disabled={push.isPending || text.trim() === ''}>
            <Upload size={14} aria-hidden /> Push
          </Button>
        }
      >
        <p className="text-xs text-soft">
          Open Workflow language, YAML or JSON. In the editor Tab indents; Escape and then Tab leaves it.
        </p>
      </PageHeader>
      {refused && <ProblemView error={refused} />}
      <div className="grid min-h-0 flex-1 grid-rows-[minmax(18rem,1fr)_auto] lg:grid-cols-[minmax(0,1fr)_24rem] lg:grid-rows-1">
        <Suspense fallback={<Loading what="the editor" rows={12} />}>
          <SourceEditor
            language="yaml"
            initial={initial}
            label="Definition"
            onChange={setText}
            markers={markers}
            jump={jump}
          />
        </Suspense>
        <Findings
          markers={markers}
          checking={checking}
          error={validation.isError ? validation.error : null}
          valid={validation.data?.valid ?? false}
          onJump={goTo}
        />
      </div>
    </>
  )
}

interface FindingsProps {
  markers: LineMarker[]
  checking: boolean
  valid: boolean
  error: unknown
  onJump: (marker: LineMarker) => void
}

function Findings({ markers, checking, valid, error, onJump }: FindingsProps) {
  const said = error ? 'Could not be checked' : (countMarkers(markers) ?? (valid ? 'No problems' : 'Checking'))
  return (
    <section
      aria-label="Findings"
      className="flex max-h-64 flex-col border-t border-line bg-surface lg:max-h-none lg:border-t-0 lg:border-l"
    >
      <header role="status" className="flex min-h-9 items-center gap-2 border-b border-line px-4 font-medium">
        {valid && !error && <CircleCheck size={15} className="text-completed" aria-hidden />}
        {said}
        {checking && <span className="text-xs font-normal text-soft">checking…</span>}
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto">
        {error ? <ProblemView error={error} /> : <ProblemList markers={markers} onJump={onJump} />}
      </div>
    </section>
  )
}

function usePush(text: string) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const { tell } = useNotices()
  const push = useMutation({
    mutationFn: () => pushDefinition(text),
    onSuccess: ({ namespace, name, version }) => {
      void client.invalidateQueries({ queryKey: ['definitions'] })
      void client.invalidateQueries({ queryKey: ['versions', namespace, name] })
      void client.invalidateQueries({ queryKey: ['definition', namespace, name, 'latest'] })
      tell(`Pushed ${namespace}/${name} ${version}.`)
      void navigate({ to: '/definitions/$namespace/$name', params: { namespace, name }, search: { version } })
    },
  })
  // What is wrong inside the text shows at its lines; the rest (a version that exists) has no line.
  const refused = push.error instanceof Problem && push.error.code === 'definition.invalid' ? null : push.error
  return { push, refused }
}

/** The value once it has not changed for a while. */
function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms)
    return () => clearTimeout(timer)
  }, [value, ms])
  return settled
}

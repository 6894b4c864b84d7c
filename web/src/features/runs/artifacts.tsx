import { useQuery } from '@tanstack/react-query'
import { Download, File } from 'lucide-react'
import { useState } from 'react'
import { formatBytes } from '~/components/json/json-model'
import { JsonView } from '~/components/json/json-view'
import { Markdown } from '~/components/markdown/markdown'
import { Button, buttonClass } from '~/components/ui/button'
import { CopyButton } from '~/components/ui/copy-button'
import { EmptyState, Loading, ProblemView } from '~/components/ui/feedback'
import type { Artifact } from '~/lib/api'
import { readJson } from '~/lib/json-text'
import { artifactsQuery, artifactTextQuery } from './api'

/** Bytes up to which an artifact is shown on the page. */
const previewMax = 500_000

type Preview = 'markdown' | 'json' | 'text'

function previewOf({ mediaType, name, size }: Artifact): Preview | null {
  if (size > previewMax) return null
  const type = mediaType.split(';')[0]!.trim().toLowerCase()
  if (type === 'text/markdown' || /\.(md|markdown)$/i.test(name)) return 'markdown'
  if (type === 'application/json' || type.endsWith('+json') || /\.json$/i.test(name)) return 'json'
  return type.startsWith('text/') || /(yaml|xml|javascript|x-ndjson)$/.test(type) ? 'text' : null
}

export function Artifacts({ run }: { run: string }) {
  const list = useQuery(artifactsQuery(run))
  if (list.isError) return <ProblemView error={list.error} retry={() => void list.refetch()} />
  if (!list.data) return <Loading what="the artifacts" />
  if (list.data.items.length === 0)
    return (
      <EmptyState title="No artifacts" icon={<File size={28} aria-hidden />}>
        Files that steps keep with the run appear here.
      </EmptyState>
    )
  return (
    <ul className="divide-y divide-line border-b border-line bg-surface">
      {list.data.items.map(artifact => (
        <ArtifactItem key={artifact.name} artifact={artifact} />
      ))}
    </ul>
  )
}

function ArtifactItem({ artifact }: { artifact: Artifact }) {
  const preview = previewOf(artifact)
  const [open, setOpen] = useState(false)
  return (
    <li>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
        <span className="min-w-0 font-mono font-medium break-all">{artifact.name}</span>
        <span className="text-xs text-soft">{artifact.mediaType}</span>
        <span className="tabular text-xs text-soft">{formatBytes(artifact.size)}</span>
        <span className="inline-flex items-center text-xs text-soft" title={artifact.sha256}>
          sha256 <code className="ml-1 font-mono">{artifact.sha256.slice(0, 10)}</code>
          <CopyButton text={artifact.sha256} label="Copy the hash" />
        </span>
        <span className="ml-auto flex gap-2">
          {preview && (
            <Button size="sm" aria-expanded={open} onClick={() => setOpen(!open)}>
              {open ? 'Hide' : 'Preview'}
            </Button>
          )}
          <a href={artifact.href} download={artifact.name} className={buttonClass('plain', 'sm')}>
            <Download size={13} aria-hidden /> Download
          </a>
        </span>
      </div>
      {artifact.path && <p className="px-4 pb-2 font-mono text-2xs break-all text-soft">{artifact.path}</p>}
      {open && preview && <PreviewView artifact={artifact} as={preview} />}
    </li>
  )
}

function PreviewView({ artifact, as }: { artifact: Artifact; as: Preview }) {
  const text = useQuery(artifactTextQuery(artifact))
  if (text.isError) return <ProblemView error={text.error} retry={() => void text.refetch()} />
  if (text.data === undefined) return <Loading what="the artifact" />
  const json = as === 'json' ? readJson(text.data) : null
  return (
    <div className="border-t border-line bg-bg">
      {as === 'markdown' && <Markdown text={text.data} className="max-h-[32rem] overflow-auto px-6 py-4" />}
      {json && 'value' in json && <JsonView value={json.value} label={artifact.name} />}
      {(as === 'text' || (json && 'error' in json)) && (
        <pre className="max-h-[32rem] overflow-auto px-4 py-3 font-mono text-xs break-words whitespace-pre-wrap">
          {text.data}
        </pre>
      )}
    </div>
  )
}

import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Activity, KeyRound, PencilLine, Play } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { JsonView } from '~/components/json/json-view'
import { SourceView } from '~/components/source/source-view'
import { countMarkers, markersOf } from '~/components/source/source-model'
import { Button, buttonClass } from '~/components/ui/button'
import { CopyButton } from '~/components/ui/copy-button'
import { EmptyState, Loading, ProblemView } from '~/components/ui/feedback'
import { PageHeader, Trail, usePageTitle } from '~/components/ui/page'
import { TabPanel, Tabs } from '~/components/ui/tabs'
import type { DefinitionRef, DefinitionVersion } from '~/lib/api'
import { definitionQuery, graphQuery, sourceQuery, versionsQuery } from '~/lib/queries'
import type { DefinitionTab } from './definition-tabs'
import { SuspendButton } from './suspend-button'
import { VersionList, VersionPicker } from './version-list'

const FlowGraph = lazy(() => import('~/components/graph/flow-graph'))
const tabsName = 'Definition parts'

interface DefinitionPageProps {
  of: DefinitionRef
  tab: DefinitionTab
  onTab: (tab: DefinitionTab) => void
  onVersion: (version: string) => void
  onStart: (definition: DefinitionVersion) => void
}

export default function DefinitionPage({ of, tab, onTab, onVersion, onStart }: DefinitionPageProps) {
  usePageTitle(`${of.namespace}/${of.name}`)
  const definition = useQuery(definitionQuery(of))
  const versions = useQuery(versionsQuery(of.namespace, of.name))
  if (definition.isPending) return <Loading what="the definition" />
  if (definition.isError) return <ProblemView error={definition.error} retry={() => void definition.refetch()} />
  const version = definition.data
  return (
    <>
      <DefinitionHeader version={version} onStart={() => onStart(version)}>
        <VersionPicker version={version.version} versions={versions.data?.items ?? []} onVersion={onVersion} />
      </DefinitionHeader>
      <div className="bg-surface">
        <Tabs
          name={tabsName}
          active={tab}
          onSelect={onTab}
          tabs={[
            { id: 'graph', label: 'Graph' },
            { id: 'source', label: 'Source', ...warningsBadge(version) },
            { id: 'input', label: 'Input schema' },
            { id: 'versions', label: 'Versions', ...(versions.data ? { badge: versions.data.items.length } : {}) },
          ]}
        />
      </div>
      <TabPanel name={tabsName} id={tab} className="flex min-h-[26rem] flex-1 flex-col">
        {tab === 'graph' && <GraphTab of={version} />}
        {tab === 'source' && <SourceTab version={version} />}
        {tab === 'input' && <InputTab version={version} />}
        {tab === 'versions' && <VersionList query={versions} current={version.version} onVersion={onVersion} />}
      </TabPanel>
    </>
  )
}

function warningsBadge(version: DefinitionVersion) {
  const count = version.diagnostics?.length ?? 0
  return count > 0 ? { badge: count } : {}
}

function DefinitionHeader({
  version,
  onStart,
  children,
}: {
  version: DefinitionVersion
  onStart: () => void
  children: React.ReactNode
}) {
  const { namespace, name, title, summary, hash, secrets } = version
  const from = `${namespace}/${name}:${version.version}`
  return (
    <PageHeader
      trail={<Trail to="/definitions">Definitions</Trail>}
      title={
        <span className="font-mono text-lg font-medium break-all">
          <span className="text-soft">{namespace}/</span>
          {name}
        </span>
      }
      actions={
        <>
          <Link to="/runs" search={{ definition: `${namespace}/${name}` }} className={buttonClass()}>
            <Activity size={14} aria-hidden /> Runs
          </Link>
          <Link to="/definitions/new" search={{ from }} className={buttonClass()}>
            <PencilLine size={14} aria-hidden /> Edit as new version
          </Link>
          <SuspendButton namespace={namespace} name={name} />
          <Button look="solid" onClick={onStart}>
            <Play size={14} aria-hidden /> Start run
          </Button>
        </>
      }
    >
      {(title || summary) && (
        <p className="max-w-prose">
          {title && <span className="font-medium">{title}</span>}{' '}
          {summary && <span className="text-soft">{summary}</span>}
        </p>
      )}
      <div className="flex flex-wrap items-center gap-x-5 gap-y-1 text-xs text-soft">
        {children}
        <span className="inline-flex items-center" title={hash}>
          hash <code className="ml-1.5 font-mono">{hash.slice(0, 12)}</code>
          <CopyButton text={hash} label="Copy the hash" />
        </span>
        {secrets && secrets.length > 0 && (
          <span className="inline-flex items-center gap-1.5">
            <KeyRound size={13} aria-hidden /> needs {secrets.join(', ')}
          </span>
        )}
      </div>
    </PageHeader>
  )
}

function GraphTab({ of }: { of: DefinitionRef }) {
  const graph = useQuery(graphQuery(of))
  if (graph.isError) return <ProblemView error={graph.error} retry={() => void graph.refetch()} />
  if (!graph.data) return <Loading what="the graph" />
  return (
    <div className="min-h-0 flex-1">
      <Suspense fallback={<Loading what="the graph" />}>
        <FlowGraph graph={graph.data} label="Tasks of the definition" />
      </Suspense>
    </div>
  )
}

function SourceTab({ version }: { version: DefinitionVersion }) {
  const source = useQuery(sourceQuery(version))
  if (source.isError) return <ProblemView error={source.error} retry={() => void source.refetch()} />
  if (source.data === undefined) return <Loading what="the source" rows={12} />
  const markers = markersOf(version.diagnostics ?? [])
  return (
    <>
      {markers.length > 0 && (
        <p className="border-b border-line bg-surface px-4 py-2 text-waiting">{countMarkers(markers)}, marked below</p>
      )}
      <SourceView
        source={source.data}
        label="Source of the definition"
        markers={markers}
        className="flex-1 bg-surface"
      />
    </>
  )
}

function InputTab({ version }: { version: DefinitionVersion }) {
  const { inputSchema } = version
  if (inputSchema === null || inputSchema === undefined)
    return <EmptyState title="Any input is accepted">The definition declares no schema for its input.</EmptyState>
  return <JsonView value={inputSchema} label="input schema" />
}

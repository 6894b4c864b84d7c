import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Trash2 } from 'lucide-react'
import { useState } from 'react'
import { Button, IconButton } from '~/components/ui/button'
import { CopyButton } from '~/components/ui/copy-button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { Loading, LoadMore, ProblemView } from '~/components/ui/feedback'
import { Panel } from '~/components/ui/page'
import { refresh } from '~/lib/refresh'
import { formatMoment, formatRelative, useNow } from '~/lib/time'
import { removeResource, resourcesQuery } from './api'
import type { StoredResource } from './workspace'

/** Texts that definitions name by `resource:///name`. */
export function ResourcesPanel() {
  const list = useInfiniteQuery(resourcesQuery)
  const [removing, setRemoving] = useState<StoredResource | null>(null)
  const items = list.data?.pages.flatMap(p => p.items) ?? []
  return (
    <Panel title="Resources" className="border-b">
      {list.isPending && <Loading what="the resources" rows={3} />}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && (
        <p className="px-4 py-3 text-soft">
          None. <code className="font-mono wrap-anywhere">millrace resources push petstore.yaml</code> keeps a document,
          a proto, a schema or a script that definitions name by{' '}
          <code className="font-mono wrap-anywhere">resource:///petstore.yaml</code>.
        </p>
      )}
      <ul aria-label="Resources" className="divide-y divide-line">
        {items.map(item => (
          <ResourceRow key={item.name} resource={item} onRemove={() => setRemoving(item)} />
        ))}
      </ul>
      <LoadMore list={list} />
      {removing && <RemoveDialog resource={removing} onClose={() => setRemoving(null)} />}
    </Panel>
  )
}

function ResourceRow({ resource, onRemove }: { resource: StoredResource; onRemove: () => void }) {
  const now = useNow('slow')
  const { name, address, size, updatedAt } = resource
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-1.5 text-sm">
      <span className="inline-flex min-w-0 flex-1 basis-60 items-center gap-1">
        <a
          href={`/api/v1/resources/${name}`}
          target="_blank"
          rel="noreferrer"
          className="inline-flex min-h-6 items-center font-mono text-xs wrap-anywhere hover:underline"
        >
          {address}
        </a>
        <CopyButton text={address} label={`Copy the address of ${name}`} />
      </span>
      <span className="tabular text-xs text-soft">{size} bytes</span>
      <span className="text-xs text-soft" title={formatMoment(updatedAt)}>
        {formatRelative(updatedAt, now)}
      </span>
      <IconButton label={`Remove ${name}`} onClick={onRemove}>
        <Trash2 size={14} />
      </IconButton>
    </li>
  )
}

function RemoveDialog({ resource, onClose }: { resource: StoredResource; onClose: () => void }) {
  const client = useQueryClient()
  const remove = useMutation({
    mutationFn: () => removeResource(resource.name),
    onSuccess: async () => {
      onClose()
      await refresh(client, ['resources'])
    },
  })
  return (
    <Dialog title={`Remove ${resource.name}?`} onClose={onClose} width="w-[28rem]">
      <DialogBody>
        <p>Calls that read it fail from then on. Versions that were compiled with it keep what they took.</p>
        {Boolean(remove.error) && <ProblemView error={remove.error} />}
      </DialogBody>
      <DialogActions>
        <Button onClick={onClose}>Go back</Button>
        <Button look="danger" onClick={() => remove.mutate()} disabled={remove.isPending}>
          Remove it
        </Button>
      </DialogActions>
    </Dialog>
  )
}

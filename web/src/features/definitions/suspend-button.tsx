import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Pause, Play } from 'lucide-react'
import { Button } from '~/components/ui/button'
import { useNotices } from '~/components/ui/notices'
import { request, send, url } from '~/lib/http'

interface Suspension {
  namespace?: string
  name?: string
  reason?: string
  since: string
}

/** A definition; without a name, the whole workspace. */
interface What {
  namespace?: string
  name?: string
}

const suspensionsQuery = {
  queryKey: ['suspensions'],
  queryFn: ({ signal }: { signal: AbortSignal }) => request<{ items: Suspension[] }>('/api/v1/suspensions', { signal }),
  refetchInterval: 10_000,
}

/** Has all runs stand, or go on where they were. */
export function SuspendButton({ namespace = '', name = '' }: What) {
  const { data } = useQuery(suspensionsQuery)
  const client = useQueryClient()
  const { tell, refuse } = useNotices()
  const found = data?.items.find(s => (s.name ?? '') === name && (s.namespace ?? '') === namespace)
  const words = name ? `${namespace}/${name}` : 'The workspace'
  const path = name ? url`/api/v1/definitions/${namespace}/${name}` : '/api/v1/workspace'
  const change = useMutation({
    mutationFn: () => send(`${path}/${found ? 'resumption' : 'suspension'}`, { method: 'POST', json: {} }),
    onSuccess: async () => {
      tell(
        found
          ? `${words} goes on.`
          : `${words} is suspended: no run begins, those under way stop before their next step.`,
      )
      await client.invalidateQueries({ queryKey: ['suspensions'] })
    },
    onError: refuse,
  })
  if (!data) return null
  const Icon = found ? Play : Pause
  return (
    <Button onClick={() => change.mutate()} disabled={change.isPending} title={found?.reason}>
      <Icon size={14} aria-hidden /> {found ? 'Resume' : 'Suspend'} {name ? '' : 'all'}
    </Button>
  )
}

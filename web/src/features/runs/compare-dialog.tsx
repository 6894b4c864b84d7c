import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { GitCompare } from 'lucide-react'
import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { Field, inputClass } from '~/components/ui/field'
import type { Page, Run } from '~/lib/api'
import { request } from '~/lib/http'
import { shortId } from '~/lib/ids'
import { formatTime } from '~/lib/time'

const id = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/

/** Asks which run to compare with: its source, its forks, and other runs of the definition are offered. */
export function CompareDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const navigate = useNavigate()
  const { namespace, name } = run.definition
  const others = useQuery({
    queryKey: ['comparable', run.id],
    queryFn: ({ signal }) =>
      request<Page<Run>>('/api/v1/runs', { signal, query: { definition: `${namespace}/${name}`, limit: 20 } }),
  })
  const [other, setOther] = useState(run.forkOf?.run ?? '')
  const [wrong, setWrong] = useState<string>()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const otherId = other.trim().toLowerCase()
    if (!id.test(otherId)) return setWrong('This is no id of a run.')
    onClose()
    return void navigate({ to: '/runs/$runId/compare/$otherId', params: { runId: run.id, otherId } })
  }
  const offered = (others.data?.items ?? []).filter(r => r.id !== run.id)
  return (
    <Dialog title="Compare this run" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <DialogBody>
          <Field label="With the run" hint="Its id; runs of the same definition are offered." error={wrong}>
            {control => (
              <>
                <input
                  {...control}
                  list="comparable-runs"
                  value={other}
                  autoComplete="off"
                  spellCheck={false}
                  className={`${inputClass} font-mono text-xs`}
                  onChange={e => setOther(e.target.value)}
                />
                <datalist id="comparable-runs">
                  {offered.map(r => (
                    <option key={r.id} value={r.id}>
                      {`${shortId(r.id)} ${r.state} ${formatTime(r.createdAt)}`}
                    </option>
                  ))}
                </datalist>
              </>
            )}
          </Field>
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Go back</Button>
          <Button look="solid" type="submit">
            <GitCompare size={14} aria-hidden /> Compare
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { GitFork, Undo2 } from 'lucide-react'
import { useRef, useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import type { Json, Run } from '~/lib/api'
import { request, url } from '~/lib/http'
import { newKey, shortId } from '~/lib/ids'
import { readJson } from '~/lib/json-text'
import { forkRun, type ForkPlace, type ForkRequest } from './api'

interface ForkDialogProps {
  run: Run
  /** Null: a retry from where it failed. */
  place: ForkPlace
  /** Of the step. */
  name?: string
  /** For a retry: the step that is begun once more. */
  failed?: number | undefined
  onClose: () => void
}

/** Starts a run that goes on from a place in this one, perhaps with another input or another version. */
export function ForkDialog({ run, place, name, failed, onClose }: ForkDialogProps) {
  const { send, pending, error } = useFork(run, place, onClose)
  const [input, setInput] = useState<string | null>(null)
  const [version, setVersion] = useState('')
  const [reason, setReason] = useState('')
  const [wrong, setWrong] = useState<string>()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const read = input === null || input.trim() === '' ? { value: undefined } : readJson(input)
    setWrong('error' in read ? read.error : undefined)
    if (!('error' in read)) send({ input: read.value, version, reason: reason.trim() })
  }
  const takesInput = place === null || 'step' in place || place.seq === 0
  return (
    <Dialog title={place ? 'Fork this run' : 'Retry this run'} onClose={onClose}>
      <form onSubmit={submit} noValidate className="flex min-h-0 flex-col">
        <DialogBody>
          <p>{explanation(place, name)} This run stays as it is.</p>
          {takesInput && (
            <InputEditor run={run.id} place={place} failed={failed} text={input} onChange={setInput} error={wrong} />
          )}
          <VersionField run={run} version={version} onChange={setVersion} />
          <Field label="Reason" hint="Kept with the new run; may stay empty.">
            {props => (
              <input
                {...props}
                value={reason}
                maxLength={1000}
                autoComplete="off"
                className={inputClass}
                onChange={e => setReason(e.target.value)}
              />
            )}
          </Field>
          {error && <ProblemView error={error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Go back</Button>
          <Button look="solid" type="submit" aria-disabled={pending}>
            {place ? <GitFork size={14} aria-hidden /> : <Undo2 size={14} aria-hidden />}
            {pending ? 'Starting…' : place ? 'Fork' : 'Retry'}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function explanation(place: ForkPlace, name: string | undefined): string {
  if (!place)
    return 'A new run takes over what was done, begins the step that failed once more, and goes on from there.'
  if ('seq' in place)
    return `A new run goes on as this one stood behind record ${place.seq}; what was under way is begun again.`
  return `A new run takes over what was done before step ${place.step}${name ? `, “${name}”,` : ''} began, and goes on from there.`
}

interface InputEditorProps {
  run: string
  place: ForkPlace
  /** The step that a retry begins once more, as far as it is known. */
  failed: number | undefined
  text: string | null
  onChange: (text: string | null) => void
  error: string | undefined
}

/** The input is sent only when somebody asks to change it. */
function InputEditor({ run, place, failed, text, onChange, error }: InputEditorProps) {
  const at = place ?? (failed === undefined ? null : { step: failed })
  const from =
    at === null ? null : 'step' in at ? url`/api/v1/runs/${run}/steps/${at.step}` : url`/api/v1/runs/${run}/input`
  const present = useQuery({
    queryKey: ['fork-input', from],
    queryFn: async ({ signal }): Promise<Json> => {
      const found = await request<Json>(from!, { signal })
      return at && 'step' in at ? ((found as { input?: Json }).input ?? null) : found
    },
    enabled: from !== null,
  })
  if (text === null)
    return (
      <div>
        <Button
          size="sm"
          disabled={from !== null && present.isPending}
          onClick={() => onChange(present.data === undefined ? '' : JSON.stringify(present.data, null, 2))}
        >
          Change the input
        </Button>
      </div>
    )
  return (
    <Field label="Input" hint="JSON: what the step begins with instead. Empty means the same as before." error={error}>
      {control => (
        <textarea
          {...control}
          rows={8}
          spellCheck={false}
          value={text}
          onChange={event => onChange(event.target.value)}
          className={`${inputClass} font-mono text-xs leading-5`}
        />
      )}
    </Field>
  )
}

function VersionField({ run, version, onChange }: { run: Run; version: string; onChange: (version: string) => void }) {
  const { namespace, name, version: own } = run.definition
  const versions = useQuery({
    queryKey: ['versions', namespace, name],
    queryFn: ({ signal }) =>
      request<{ items: { version: string }[] }>(url`/api/v1/definitions/${namespace}/${name}/versions`, { signal }),
  })
  const others = (versions.data?.items ?? []).map(v => v.version).filter(v => v !== own)
  if (others.length === 0) return null
  return (
    <Field label="Version" hint="Another one must have the same tasks up to this place.">
      {control => (
        <select {...control} value={version} className={inputClass} onChange={e => onChange(e.target.value)}>
          <option value="">{own} (as before)</option>
          {others.map(v => (
            <option key={v} value={v}>
              {v}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

function useFork(run: Run, place: ForkPlace, onClose: () => void) {
  const navigate = useNavigate()
  const { tell } = useNotices()
  // One key for each different request of this opening of the dialog.
  const key = useRef(newKey())
  const sent = useRef<string | null>(null)
  const mutation = useMutation({
    mutationFn: (wish: ForkRequest) => forkRun(wish),
    onSuccess: fork => {
      onClose()
      tell(`Run ${shortId(fork.id)} goes on from here.`)
      void navigate({ to: '/runs/$runId', params: { runId: fork.id } })
    },
  })
  const send = (wish: Pick<ForkRequest, 'input' | 'version' | 'reason'>) => {
    if (mutation.isPending) return
    const body = JSON.stringify(wish)
    if (sent.current !== null && sent.current !== body) key.current = newKey()
    sent.current = body
    mutation.mutate({ run: run.id, place, ...wish, key: key.current })
  }
  return { send, pending: mutation.isPending, error: mutation.error }
}

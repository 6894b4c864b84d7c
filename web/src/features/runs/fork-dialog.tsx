import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { GitFork, Undo2 } from 'lucide-react'
import { useId, useRef, useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import type { Json, Run, RunMoment } from '~/lib/api'
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

/** Starts a run that goes on from a place in this one, perhaps with another input, context or version. */
export function ForkDialog({ run, place, name, failed, onClose }: ForkDialogProps) {
  const { send, pending, error } = useFork(run, place, onClose)
  const [input, setInput] = useState<string | null>(null)
  const [context, setContext] = useState<string | null>(null)
  const [version, setVersion] = useState('')
  const [reason, setReason] = useState('')
  const [wrong, setWrong] = useState<{ input?: string; context?: string }>({})
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const [i, c] = [readChanged(input), readChanged(context)]
    setWrong({ ...('error' in i && { input: i.error }), ...('error' in c && { context: c.error }) })
    if (!('error' in i) && !('error' in c)) send({ input: i.value, context: c.value, version, reason: reason.trim() })
  }
  const takesInput = place === null || 'step' in place || place.seq === 0
  // A retry begins once more with the step that failed.
  const at = place ?? (failed === undefined ? null : { step: failed })
  return (
    <Dialog title={place ? 'Fork this run' : 'Retry this run'} onClose={onClose}>
      <form onSubmit={submit} noValidate className="flex min-h-0 flex-col">
        <DialogBody>
          <p>{explanation(place, name)} This run stays as it is.</p>
          {takesInput && (
            <ValueEditor
              name="input"
              hint="JSON: what the step begins with instead. Empty means the same as before."
              load={at === null ? undefined : signal => inputAt(run.id, at, signal)}
              text={input}
              onChange={setInput}
              error={wrong.input}
            />
          )}
          <ValueEditor
            name="context"
            hint="JSON: what the workflow’s context is instead. Empty means the same as before."
            load={at === null ? undefined : signal => contextAt(run.id, at, signal)}
            text={context}
            onChange={setContext}
            error={wrong.context}
          />
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

function readChanged(text: string | null): { value: Json | undefined } | { error: string } {
  return text === null || text.trim() === '' ? { value: undefined } : readJson(text)
}

type Place = NonNullable<ForkPlace>

async function inputAt(run: string, at: Place, signal: AbortSignal): Promise<Json> {
  if (!('step' in at)) return request<Json>(url`/api/v1/runs/${run}/input`, { signal })
  return (await request<{ input?: Json }>(url`/api/v1/runs/${run}/steps/${at.step}`, { signal })).input ?? null
}

async function contextAt(run: string, at: Place, signal: AbortSignal): Promise<Json> {
  return (await request<RunMoment>(url`/api/v1/runs/${run}/state`, { signal, query: { ...at } })).context
}

interface ValueEditorProps {
  name: 'input' | 'context'
  hint: string
  /** Gives the present value; undefined: it is not known. */
  load: ((signal: AbortSignal) => Promise<Json>) | undefined
  text: string | null
  onChange: (text: string | null) => void
  error: string | undefined
}

/** The value is fetched and sent only when somebody asks to change it. */
function ValueEditor({ name, hint, load, text, onChange, error }: ValueEditorProps) {
  const [asked, setAsked] = useState(false)
  const id = useId()
  const present = useQuery({
    queryKey: ['fork-value', name, id],
    queryFn: async ({ signal }): Promise<string> => JSON.stringify(await load!(signal), null, 2),
    enabled: asked && load !== undefined,
    staleTime: Infinity,
  })
  const shown = text ?? (present.isError || !load ? '' : present.data)
  if (!asked || shown === undefined)
    return (
      <div>
        <Button size="sm" aria-disabled={asked} onClick={() => setAsked(true)}>
          Change the {name}
        </Button>
      </div>
    )
  return (
    <Field label={name === 'input' ? 'Input' : 'Context'} hint={hint} error={error}>
      {control => (
        <textarea
          {...control}
          rows={8}
          spellCheck={false}
          value={shown}
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
  const send = (wish: Pick<ForkRequest, 'input' | 'context' | 'version' | 'reason'>) => {
    if (mutation.isPending) return
    const body = JSON.stringify(wish)
    if (sent.current !== null && sent.current !== body) key.current = newKey()
    sent.current = body
    mutation.mutate({ run: run.id, place, ...wish, key: key.current })
  }
  return { send, pending: mutation.isPending, error: mutation.error }
}

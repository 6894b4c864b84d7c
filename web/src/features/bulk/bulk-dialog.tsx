import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import type { RunState } from '~/lib/api'
import { newKey } from '~/lib/ids'
import { refresh } from '~/lib/refresh'
import { localZone } from '~/lib/time'
import { startBulk } from './api'
import type { BulkAction, BulkRequest } from './bulk'
import {
  actions,
  firstAction,
  goesOn,
  statesFor,
  statesText,
  wishOf,
  type BulkForm,
  type ListFilter,
} from './bulk-model'

/** Asks what shall become of all runs that the list is filtered to. */
export function BulkDialog({
  filter,
  onStarted,
  onClose,
}: {
  filter: ListFilter
  onStarted: () => void
  onClose: () => void
}) {
  const [form, setForm] = useState<BulkForm>(() => ({
    action: firstAction(filter),
    after: '',
    before: '',
    task: '',
    latest: false,
    reason: '',
  }))
  const { send, pending, error } = useStart(onStarted)
  const { verb, means, fits } = actions[form.action]
  const states = statesFor(form.action, filter)
  const change = (some: Partial<BulkForm>) => setForm({ ...form, ...some })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (states.length > 0) send(wishOf(form, filter))
  }
  return (
    <Dialog title="Many runs at once" onClose={onClose}>
      <form onSubmit={submit} className="flex min-h-0 flex-col">
        <DialogBody>
          <Field label="What to do" hint={means}>
            {control => (
              <select
                {...control}
                value={form.action}
                className={inputClass}
                onChange={e => change({ action: e.target.value as BulkAction })}
              >
                {Object.entries(actions).map(([action, words]) => (
                  <option key={action} value={action}>
                    {words.verb}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {states.length === 0 ? (
            <p role="alert" className="font-medium text-faulted">
              The list shows runs that cannot take this; it is for runs that are {fits.join(', ')}.
            </p>
          ) : (
            <Which states={states} filter={filter} />
          )}
          {form.action === 'fork' && <Place form={form} onChange={change} />}
          <When form={form} onChange={change} />
          {goesOn(form.action) && (
            <label className="flex items-center gap-2">
              <input type="checkbox" checked={form.latest} onChange={e => change({ latest: e.target.checked })} />
              Go on with the latest version of the definition
            </label>
          )}
          <Field label="Reason" hint="Kept with the runs; may stay empty.">
            {control => (
              <input
                {...control}
                value={form.reason}
                maxLength={500}
                autoComplete="off"
                className={inputClass}
                onChange={e => change({ reason: e.target.value })}
              />
            )}
          </Field>
          {error && <ProblemView error={error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Go back</Button>
          <Button
            look={form.action === 'cancel' ? 'danger' : 'solid'}
            type="submit"
            disabled={pending || states.length === 0}
          >
            {pending ? 'Asking…' : `${verb} them all`}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function useStart(onStarted: () => void) {
  const client = useQueryClient()
  const { tell } = useNotices()
  // A changed wish is another one; the same, sent twice, is one.
  const [keys] = useState(() => new Map<string, string>())
  const start = useMutation({
    mutationFn: (wish: BulkRequest) => {
      const text = JSON.stringify(wish)
      const key = keys.get(text) ?? newKey()
      keys.set(text, key)
      return startBulk(wish, key)
    },
    onSuccess: async ({ found }) => {
      tell(found === 1 ? 'One run is worked on.' : `${found} runs are worked on.`)
      onStarted()
      await refresh(client, ['bulk'])
    },
  })
  return { send: start.mutate, pending: start.isPending, error: start.error }
}

function Which({ states, filter }: { states: RunState[]; filter: ListFilter }) {
  const words = statesText(states)
  return (
    <p>
      All runs of {filter.definition ? <code className="font-mono text-xs">{filter.definition}</code> : 'the workspace'}{' '}
      that are <span className="font-medium">{words === 'all' ? 'in any state' : words}</span>
      {filter.forkOf && (
        <>
          {' '}
          and go on from <code className="font-mono text-xs break-all">{filter.forkOf}</code>
        </>
      )}
      {!filter.forkOf && !filter.children && ', without those that other runs have started'}, as they are when this is
      sent; runs that begin later are left alone.
    </p>
  )
}

interface PartProps {
  form: BulkForm
  onChange: (some: Partial<BulkForm>) => void
}

function Place({ form, onChange }: PartProps) {
  return (
    <Field
      label="From which task"
      hint="The task’s JSON pointer, such as /do/2/charge: just before its last step. Empty: from the beginning."
    >
      {control => (
        <input
          {...control}
          value={form.task}
          pattern="\s*(/.*)?"
          maxLength={1000}
          autoComplete="off"
          spellCheck={false}
          className={`${inputClass} font-mono`}
          onChange={e => onChange({ task: e.target.value })}
        />
      )}
    </Field>
  )
}

function When({ form, onChange }: PartProps) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      {(['after', 'before'] as const).map(end => (
        <Field key={end} label={`Created ${end}`} hint={`Time in ${localZone}; may stay empty.`}>
          {control => (
            <input
              {...control}
              type="datetime-local"
              value={form[end]}
              className={inputClass}
              onChange={e => onChange({ [end]: e.target.value })}
            />
          )}
        </Field>
      ))}
    </div>
  )
}

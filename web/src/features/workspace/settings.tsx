import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Button } from '~/components/ui/button'
import { Loading, ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import { Panel } from '~/components/ui/page'
import { retentionQuery, setRetention, setWorkspaceLimit, workspaceLimitQuery } from './api'
import type { Retention, WorkspaceLimit } from './workspace'
import {
  checkLimits,
  ends,
  limitForm,
  limitMax,
  limitsOf,
  refusalsOf,
  retentionForm,
  retentionOf,
} from './workspace-model'

/** How much the workspace takes of what workspaces share, and how many of its runs work at once. */
export function SharePanel() {
  const found = useQuery(workspaceLimitQuery)
  return (
    <Panel title="Share and limit" className="border-b">
      {found.isPending && <Loading what="the workspace's limit" rows={3} />}
      {found.isError && <ProblemView error={found.error} retry={() => void found.refetch()} />}
      {found.data && <ShareForm key={JSON.stringify(found.data)} now={found.data} />}
    </Panel>
  )
}

function ShareForm({ now }: { now: WorkspaceLimit }) {
  const [form, setForm] = useState(() => limitForm(now))
  const client = useQueryClient()
  const { tell } = useNotices()
  const save = useMutation({
    mutationFn: () => setWorkspaceLimit(limitsOf(form)),
    onSuccess: saved => {
      tell('The workspace’s share and limit are changed.')
      client.setQueryData(workspaceLimitQuery.queryKey, saved)
    },
  })
  const errors = checkLimits(form)
  return (
    <SettingForm
      label="Share and limit"
      changed={JSON.stringify(form) !== JSON.stringify(limitForm(now))}
      wrong={Object.keys(errors).length > 0}
      save={save}
    >
      <Field label="Weight" hint="Its share of the slots that workspaces share, 1 to 100." error={errors.weight}>
        {control => (
          <input
            {...control}
            type="number"
            min={1}
            max={100}
            value={form.weight}
            className={`${inputClass} tabular !w-28`}
            onChange={e => setForm({ ...form, weight: e.target.value })}
          />
        )}
      </Field>
      <Field label="Runs at once" hint="Of the whole workspace; nothing means any number." error={errors.limit}>
        {control => (
          <input
            {...control}
            type="number"
            min={1}
            max={limitMax}
            value={form.limit}
            className={`${inputClass} tabular !w-28`}
            onChange={e => setForm({ ...form, limit: e.target.value })}
          />
        )}
      </Field>
    </SettingForm>
  )
}

/** For how long runs are kept whose definition says nothing about it. */
export function RetentionPanel() {
  const found = useQuery(retentionQuery)
  return (
    <Panel title="Retention" className="border-b">
      {found.isPending && <Loading what="the retention" rows={4} />}
      {found.isError && <ProblemView error={found.error} retry={() => void found.refetch()} />}
      {found.data && <RetentionForm key={JSON.stringify(found.data)} now={found.data} />}
    </Panel>
  )
}

function RetentionForm({ now }: { now: Retention }) {
  const [form, setForm] = useState(() => retentionForm(now))
  const client = useQueryClient()
  const { tell } = useNotices()
  const save = useMutation({
    mutationFn: () => setRetention(retentionOf(form)),
    onSuccess: saved => {
      tell('Runs that end from now on are kept for so long.')
      client.setQueryData(retentionQuery.queryKey, saved)
    },
  })
  const errors = refusalsOf(save.error, ends)
  return (
    <SettingForm
      label="Retention"
      changed={JSON.stringify(form) !== JSON.stringify(retentionForm(now))}
      wrong={false}
      located={Object.keys(errors).length > 0}
      save={save}
    >
      <p className="text-xs text-soft">
        Of runs that end from now on and whose definition says nothing. ISO 8601, such as P30D; nothing means for ever.
      </p>
      {ends.map(end => (
        <Field key={end} label={`${end[0]!.toUpperCase()}${end.slice(1)} runs`} error={errors[end]}>
          {control => (
            <input
              {...control}
              value={form[end]}
              maxLength={40}
              placeholder="for ever"
              autoComplete="off"
              spellCheck={false}
              className={`${inputClass} !w-40 font-mono`}
              onChange={e => setForm({ ...form, [end]: e.target.value })}
            />
          )}
        </Field>
      ))}
    </SettingForm>
  )
}

interface SettingFormProps {
  label: string
  changed: boolean
  /** Something has to be mended before it can be saved. */
  wrong: boolean
  /** What was refused stands at its field already. */
  located?: boolean
  save: { mutate: () => void; isPending: boolean; isError: boolean; error: unknown }
  children: ReactNode
}

function SettingForm({ label, changed, wrong, located = false, save, children }: SettingFormProps) {
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!wrong) save.mutate()
  }
  return (
    <form onSubmit={submit} noValidate aria-label={label} className="flex flex-col gap-3 p-4">
      {children}
      {save.isError && !located && <ProblemView error={save.error} />}
      <Button
        look="solid"
        type="submit"
        className="self-start"
        disabled={!changed || wrong || save.isPending}
        aria-label={`Save ${label.toLowerCase()}`}
      >
        {save.isPending ? 'Saving…' : 'Save'}
      </Button>
    </form>
  )
}

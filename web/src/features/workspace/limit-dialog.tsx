import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import { refresh } from '~/lib/refresh'
import { setLimit } from './api'
import { limitMax, readLimit } from './workspace-model'

/** Sets a limit by its name, also one that no run holds or waits for now. */
export function LimitDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient()
  const { tell } = useNotices()
  const [form, setForm] = useState({ name: '', limit: '' })
  const [asked, setAsked] = useState(false)
  const name = form.name.trim()
  const limit = form.limit.trim() === '' ? null : readLimit(form.limit)
  const set = useMutation({
    mutationFn: () => setLimit(name, limit),
    onSuccess: async () => {
      tell(limit === null ? `${name} is what the documents say.` : `${name} is ${limit} now, for all its keys.`)
      onClose()
      await refresh(client, ['limits'])
    },
  })
  const wrong = {
    name: name === '' ? 'A limit has a name.' : undefined,
    limit: form.limit.trim() !== '' && limit === null ? 'A whole number, or nothing.' : undefined,
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setAsked(true)
    if (!wrong.name && !wrong.limit) set.mutate()
  }
  return (
    <Dialog title="Set a limit" onClose={onClose} width="w-[28rem]">
      <form onSubmit={submit} noValidate>
        <DialogBody>
          <p>It holds in place of what the documents say, for all keys, until it is taken back.</p>
          <Field
            label="Name"
            required
            hint="namespace/name of the definition, or the name that limits of several share."
            error={asked ? wrong.name : undefined}
          >
            {control => (
              <input
                {...control}
                value={form.name}
                maxLength={300}
                autoComplete="off"
                className={`${inputClass} font-mono`}
                onChange={e => setForm({ ...form, name: e.target.value })}
              />
            )}
          </Field>
          <Field label="At once" hint="Nothing takes back what was set." error={asked ? wrong.limit : undefined}>
            {control => (
              <input
                {...control}
                type="number"
                min={1}
                max={limitMax}
                value={form.limit}
                className={`${inputClass} tabular !w-32`}
                onChange={e => setForm({ ...form, limit: e.target.value })}
              />
            )}
          </Field>
          {set.isError && <ProblemView error={set.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Go back</Button>
          <Button look="solid" type="submit" disabled={set.isPending}>
            Set it
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

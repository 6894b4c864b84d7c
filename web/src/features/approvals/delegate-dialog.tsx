import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { useNotices } from '~/components/ui/notices'
import { refresh } from '~/lib/refresh'
import { delegate } from './api'
import { keepApprover, lastApprover } from './approver'

/** Hands somebody's vote to another person. */
export function DelegateDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const client = useQueryClient()
  const { tell } = useNotices()
  const [form, setForm] = useState(() => ({ by: lastApprover(), to: '', comment: '' }))
  const [asked, setAsked] = useState(false)
  const [by, to, comment] = [form.by.trim(), form.to.trim(), form.comment.trim()]
  const hand = useMutation({
    mutationFn: () => delegate(id, { by, to, ...(comment ? { comment } : {}) }),
    onSuccess: async () => {
      keepApprover(by)
      tell(`${to} has the vote of ${by} now.`)
      onClose()
      await refresh(client, ['approvals'])
    },
  })
  const whose = by === '' ? 'Say whose vote it is.' : undefined
  const whom = to === '' ? 'Say who decides instead.' : to === by ? 'Nobody hands a vote to themselves.' : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setAsked(true)
    if (!whose && !whom) hand.mutate()
  }
  const line = (name: keyof typeof form, max: number) => ({
    value: form[name],
    maxLength: max,
    autoComplete: 'off',
    className: inputClass,
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  })
  return (
    <Dialog title="Hand on a vote" onClose={onClose} width="w-[28rem]">
      <form onSubmit={submit} noValidate>
        <DialogBody>
          <p>Who hands on their vote does not decide any more; the other person does in their place.</p>
          <Field label="Whose vote" required error={asked ? whose : undefined}>
            {control => <input {...control} {...line('by', 200)} />}
          </Field>
          <Field label="Who decides instead" required error={asked ? whom : undefined}>
            {control => <input {...control} {...line('to', 200)} />}
          </Field>
          <Field label="Why" hint="Kept with the question; may stay empty.">
            {control => <input {...control} {...line('comment', 4000)} />}
          </Field>
          {hand.isError && <ProblemView error={hand.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Go back</Button>
          <Button look="solid" type="submit" disabled={hand.isPending}>
            Hand it on
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Button } from '~/components/ui/button'
import { CopyButton } from '~/components/ui/copy-button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { Field, inputClass } from '~/components/ui/field'
import { makeLink } from './api'

/** Makes a link with which whoever has it decides, and shows it this once. */
export function LinkDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const [person, setPerson] = useState('')
  const [asked, setAsked] = useState(false)
  const make = useMutation({ mutationFn: () => makeLink(id, person.trim()) })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setAsked(true)
    if (person.trim() !== '') make.mutate()
  }
  if (make.data)
    return <Made address={new URL(make.data.page, location.origin).href} of={make.data.for} onClose={onClose} />
  return (
    <Dialog title="Make a link" onClose={onClose} width="w-[28rem]">
      <form onSubmit={submit} noValidate>
        <DialogBody>
          <p>Whoever has the link decides in this person’s name, without saying who they are.</p>
          <Field
            label="For whom"
            required
            error={asked && person.trim() === '' ? 'Say in whose name it decides.' : undefined}
          >
            {control => (
              <input
                {...control}
                value={person}
                maxLength={200}
                autoComplete="off"
                className={inputClass}
                onChange={e => setPerson(e.target.value)}
              />
            )}
          </Field>
          {make.isError && <ProblemView error={make.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Go back</Button>
          <Button look="solid" type="submit" disabled={make.isPending}>
            Make the link
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function Made({ address, of, onClose }: { address: string; of: string; onClose: () => void }) {
  return (
    <Dialog title={`The link for ${of}`} onClose={onClose} width="w-[28rem]">
      <DialogBody>
        <p>It is shown this once: copy it now.</p>
        <p className="flex items-start gap-2 rounded-sm border border-line bg-sunken p-2">
          <code className="min-w-0 flex-1 font-mono text-xs break-all">{address}</code>
          <CopyButton text={address} label="Copy the link" />
        </p>
      </DialogBody>
      <DialogActions>
        <Button look="solid" onClick={onClose}>
          Done
        </Button>
      </DialogActions>
    </Dialog>
  )
}

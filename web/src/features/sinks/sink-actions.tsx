import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Pause, Pencil, Play, Send, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { Button, IconButton } from '~/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { useNotices } from '~/components/ui/notices'
import { refresh } from '~/lib/refresh'
import { changeSink, removeSink, testSink } from './api'
import type { Sink } from './sink'
import { SinkDialog } from './sink-dialog'

export function SinkActions({ sink }: { sink: Sink }) {
  const [open, setOpen] = useState<'edit' | 'remove' | null>(null)
  const close = () => setOpen(null)
  return (
    <>
      <PauseButton sink={sink} />
      <TestButton sink={sink} />
      <IconButton label={`Edit ${sink.name}`} onClick={() => setOpen('edit')}>
        <Pencil size={14} />
      </IconButton>
      <IconButton label={`Remove ${sink.name}`} onClick={() => setOpen('remove')}>
        <Trash2 size={14} />
      </IconButton>
      {open === 'edit' && <SinkDialog sink={sink} onClose={close} />}
      {open === 'remove' && <RemoveDialog sink={sink} onClose={close} />}
    </>
  )
}

function PauseButton({ sink }: { sink: Sink }) {
  const client = useQueryClient()
  const { tell, refuse } = useNotices()
  // One that was given up stands still as a paused one does, and goes on in the same way.
  const stands = sink.state === 'paused' || sink.state === 'dead'
  const change = useMutation({
    mutationFn: () => changeSink(sink.id, { paused: !stands }),
    onSuccess: async () => {
      tell(stands ? `${sink.name} goes on from where it stood.` : `${sink.name} is paused; its events wait.`)
      await refresh(client, ['sinks'])
    },
    onError: refuse,
  })
  const Icon = stands ? Play : Pause
  return (
    <Button
      size="sm"
      onClick={() => change.mutate()}
      disabled={change.isPending}
      aria-label={`${stands ? 'Resume' : 'Pause'} ${sink.name}`}
    >
      <Icon size={13} aria-hidden /> {stands ? 'Resume' : 'Pause'}
    </Button>
  )
}

function TestButton({ sink }: { sink: Sink }) {
  const { tell, refuse } = useNotices()
  const test = useMutation({
    mutationFn: () => testSink(sink.id),
    onSuccess: ({ taken, status, error }) => {
      if (taken) tell(`${sink.name} took the test event (${status}).`)
      else refuse(`${sink.name} did not take the test event. ${error ?? ''}`)
    },
    onError: refuse,
  })
  return (
    <Button size="sm" onClick={() => test.mutate()} disabled={test.isPending} aria-label={`Test ${sink.name}`}>
      <Send size={13} aria-hidden /> {test.isPending ? 'Sending…' : 'Test'}
    </Button>
  )
}

function RemoveDialog({ sink, onClose }: { sink: Sink; onClose: () => void }) {
  const client = useQueryClient()
  const { tell } = useNotices()
  const remove = useMutation({
    mutationFn: () => removeSink(sink.id),
    onSuccess: async () => {
      tell(`${sink.name} is removed.`)
      onClose()
      await refresh(client, ['sinks'])
    },
  })
  return (
    <Dialog title={`Remove ${sink.name}?`} onClose={onClose} width="w-[28rem]">
      <DialogBody>
        <p>
          It gets nothing more, and its place is forgotten: one that is added again begins with what comes from then on.
        </p>
        {Boolean(remove.error) && <ProblemView error={remove.error} />}
      </DialogBody>
      <DialogActions>
        <Button onClick={onClose}>Go back</Button>
        <Button look="danger" onClick={() => remove.mutate()} disabled={remove.isPending}>
          Remove the sink
        </Button>
      </DialogActions>
    </Dialog>
  )
}

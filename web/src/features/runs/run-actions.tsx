import { useMutation, useQuery } from '@tanstack/react-query'
import { Ban, GitCompare, Pause, Play, Radio, RotateCcw, Undo2 } from 'lucide-react'
import { useState } from 'react'
import { Button } from '~/components/ui/button'
import { Dialog } from '~/components/ui/dialog'
import { ProblemView } from '~/components/ui/feedback'
import { useNotices } from '~/components/ui/notices'
import { isFinished, type Run } from '~/lib/api'
import { definitionQuery } from '~/lib/queries'
import { controlRun, runInputQuery, type Control, type Wish } from './api'
import { CompareDialog } from './compare-dialog'
import { ControlDialog } from './control-dialog'
import { ForkDialog } from './fork-dialog'
import { SendEventDialog } from './send-event'
import { StartRunDialog } from './start-run-dialog'

type Asking = 'cancellation' | 'suspension' | 'signal' | 'again' | 'retry' | 'compare'

/** What can be done with a run in its present state. */
export function RunActions({ run, failedStep }: { run: Run; failedStep: number | undefined }) {
  const [asking, setAsking] = useState<Asking | null>(null)
  const { tell, refuse } = useNotices()
  const control = useMutation({
    mutationFn: ({ what, ...wish }: Wish & { what: Control }) => controlRun(run.id, what, wish),
    onSuccess: (_, { what }) => {
      setAsking(null)
      tell(
        { cancellation: 'Cancellation requested.', suspension: 'Suspension requested.', resumption: 'Resumed.' }[what],
      )
    },
    onError: (error, { what }) => {
      if (what === 'resumption') refuse(error)
    },
  })
  const finished = isFinished(run.state)
  const failed = run.state === 'faulted' || run.state === 'cancelled'
  return (
    <>
      {!finished && run.state !== 'suspended' && (
        <Button onClick={() => setAsking('suspension')}>
          <Pause size={14} aria-hidden /> Suspend
        </Button>
      )}
      {run.state === 'suspended' && (
        <Button
          look="solid"
          onClick={() => control.mutate({ what: 'resumption', reason: '', cleanUp: true })}
          disabled={control.isPending}
        >
          <Play size={14} aria-hidden /> Resume
        </Button>
      )}
      {!finished && (
        <Button onClick={() => setAsking('signal')}>
          <Radio size={14} aria-hidden /> Send a signal
        </Button>
      )}
      {!finished && (
        <Button look="danger" onClick={() => setAsking('cancellation')}>
          <Ban size={14} aria-hidden /> Cancel
        </Button>
      )}
      <Button onClick={() => setAsking('compare')}>
        <GitCompare size={14} aria-hidden /> Compare
      </Button>
      {failed && (
        <Button look="solid" onClick={() => setAsking('retry')}>
          <Undo2 size={14} aria-hidden /> Retry
        </Button>
      )}
      <Button look={finished && !failed ? 'solid' : 'plain'} onClick={() => setAsking('again')}>
        <RotateCcw size={14} aria-hidden /> Start again
      </Button>
      {(asking === 'cancellation' || asking === 'suspension') && (
        <ControlDialog
          what={asking}
          pending={control.isPending}
          error={control.error}
          onClose={() => {
            control.reset()
            setAsking(null)
          }}
          onConfirm={wish => control.mutate({ what: asking, ...wish })}
        />
      )}
      {asking === 'signal' && <SendEventDialog run={run.id} wanted={[]} onClose={() => setAsking(null)} />}
      {asking === 'retry' && <ForkDialog run={run} place={null} failed={failedStep} onClose={() => setAsking(null)} />}
      {asking === 'compare' && <CompareDialog run={run} onClose={() => setAsking(null)} />}
      {asking === 'again' && <StartAgain run={run} onClose={() => setAsking(null)} />}
    </>
  )
}

/** The same definition version and the same input, ready to be sent or changed. */
function StartAgain({ run, onClose }: { run: Run; onClose: () => void }) {
  const input = useQuery(runInputQuery(run.id))
  const definition = useQuery(definitionQuery(run.definition))
  const failed = input.error ?? definition.error
  if (failed)
    return (
      <Dialog title="Start run" onClose={onClose}>
        <ProblemView error={failed} />
      </Dialog>
    )
  if (input.data === undefined || !definition.data) return null
  return <StartRunDialog definition={definition.data} input={input.data} onClose={onClose} />
}

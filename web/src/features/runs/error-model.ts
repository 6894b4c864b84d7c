import { blockAt, expressionsIn, type LineMarker } from '~/components/source/source-model'
import type { WorkflowError } from '~/lib/api'

// What each standard error type of the language means for whoever has to do something about it.
const advice: Record<string, string> = {
  configuration:
    'The task cannot be carried out as it is written, or something it names is not set up. Correct the definition and push a new version.',
  validation: 'A value does not fit its schema. Compare the input of the step with the schema that the task declares.',
  expression:
    'An expression failed on the data it was given. Look at the input of the step: a member may be absent or of another type. `//` gives a default, `?` tolerates.',
  authentication: 'The called system did not accept who was calling. Check the secret or token that the task uses.',
  authorization: 'The called system knows the caller but refuses the operation. Check what the account may do.',
  timeout:
    'The work took longer than its timeout allows. Raise the timeout, or find out what it waited for in the timeline.',
  communication:
    'The called system was not reached or answered with an error. If that passes by itself, put the call into a try with a retry.',
  runtime: 'The task failed while it was at work. Its live output and the journal tell more.',
}

/** The last part of the type’s URI, such as `expression`; the type itself when it has none. */
export function shortType(error: WorkflowError): string {
  const [, last] = /([^/#]+)\/?$/.exec(error.type) ?? []
  return last ?? error.type
}

/** What to do about it; for a type of the author’s own, where it comes from. */
export function adviceFor(error: WorkflowError): string {
  return advice[shortType(error)] ?? 'The workflow raised this error itself. The task at fault says when and why.'
}

export const isExpressionError = (error: WorkflowError) => shortType(error) === 'expression'

/** One line for lists and titles. */
export function headline(error: WorkflowError): string {
  return error.title ?? error.detail ?? shortType(error)
}

/** The marker of an error of the task at `line`: at its expression, if the error is of one and tells which; else at the task. */
export function markerOf(error: WorkflowError, source: string, line: number): LineMarker {
  const message = error.detail ?? headline(error)
  const task: LineMarker = { line, severity: 'error', message }
  if (!isExpressionError(error)) return task
  const block = blockAt(source, line)
  const all = expressionsIn(source, block.from, block.to, 200)
  // The longest: a shorter one may stand inside it.
  const [quoted] = all.filter(e => message.includes(innerOf(e.text))).toSorted((a, b) => b.text.length - a.text.length)
  const meant = quoted ?? (all.length === 1 ? all[0] : undefined)
  return meant ? { ...task, line: meant.line } : task
}

const innerOf = (expression: string) => expression.replace(/^\$\{\s*/, '').replace(/\s*\}$|\s*…$/, '')

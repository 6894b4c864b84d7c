// @vitest-environment jsdom
import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import { at, runOf, stepOf } from '~/test-data'
import { renderPage, serve } from '~/test-server'
import { StepPanel } from './step-panel'

test('A step that undoes another one leads to it', async () => {
  const step = stepOf(5, { state: 'completed', endedAt: at(900), compensates: 2, input: {}, output: {} })
  serve(() => ({ json: step }))
  const onStep = vi.fn()
  renderPage(<StepPanel run={runOf()} step={step} attempts={[step]} onStep={onStep} onClose={() => {}} />)
  await userEvent.click(await screen.findByRole('button', { name: 'undoes step 2' }))
  expect(onStep).toHaveBeenCalledWith(2)
})

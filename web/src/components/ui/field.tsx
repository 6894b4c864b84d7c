import { useId, type ReactNode } from 'react'

export const inputClass =
  'w-full rounded-sm border border-edge bg-raised px-2.5 py-1.5 text-sm text-ink placeholder:text-soft aria-invalid:border-faulted'

interface FieldProps {
  label: string
  hint?: string | undefined
  error?: string | undefined
  required?: boolean
  /** Renders the control with what ties it to its label, hint and error. */
  children: (control: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode
}

export function Field({ label, hint, error, required = false, children }: FieldProps) {
  const id = useId()
  const described = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(s => s).join(' ')
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium">
        {label}
        {required && <span className="font-normal text-soft"> · required</span>}
      </label>
      {hint && (
        <p id={`${id}-hint`} className="text-xs text-soft">
          {hint}
        </p>
      )}
      {children({
        id,
        ...(described ? { 'aria-describedby': described } : {}),
        ...(error ? { 'aria-invalid': true } : {}),
      })}
      {error && (
        <p id={`${id}-error`} className="text-xs font-medium text-faulted">
          {error}
        </p>
      )}
    </div>
  )
}

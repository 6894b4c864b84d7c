import { Field, inputClass } from '~/components/ui/field'
import type { FormField, FormValues } from './input-form-model'

interface InputFormProps {
  fields: readonly FormField[]
  values: FormValues
  errors: Record<string, string>
  onChange: (name: string, text: string) => void
}

/** One control for each member of the input. */
export function InputForm({ fields, values, errors, onChange }: InputFormProps) {
  return (
    <div className="flex flex-col gap-4">
      {fields.map(field => (
        <Field
          key={field.name}
          label={field.label}
          hint={field.description}
          required={field.required}
          error={errors[field.name]}
        >
          {control => (
            <Control
              field={field}
              value={values[field.name] ?? ''}
              onChange={text => onChange(field.name, text)}
              {...control}
            />
          )}
        </Field>
      ))}
    </div>
  )
}

interface ControlProps {
  field: FormField
  value: string
  onChange: (text: string) => void
  id: string
  'aria-describedby'?: string
  'aria-invalid'?: true
}

function Control({ field, value, onChange, ...control }: ControlProps) {
  const common = { ...control, name: field.name, value, 'aria-required': field.required, className: inputClass }
  switch (field.kind) {
    case 'choice':
      return (
        <select {...common} onChange={event => onChange(event.target.value)}>
          <option value="">—</option>
          {field.choices?.map((choice, i) => (
            <option key={i} value={i}>
              {typeof choice === 'string' ? choice : JSON.stringify(choice)}
            </option>
          ))}
        </select>
      )
    case 'boolean':
      return (
        <select {...common} onChange={event => onChange(event.target.value)}>
          <option value="">—</option>
          <option value="true">yes</option>
          <option value="false">no</option>
        </select>
      )
    case 'longText':
    case 'json':
      return (
        <textarea
          {...common}
          rows={field.kind === 'json' ? 4 : 3}
          spellCheck={field.kind === 'longText'}
          placeholder={field.kind === 'json' ? 'JSON' : undefined}
          className={`${inputClass} ${field.kind === 'json' ? 'font-mono text-xs' : ''}`}
          onChange={event => onChange(event.target.value)}
        />
      )
    case 'number':
    case 'integer':
      return (
        <input
          {...common}
          inputMode={field.kind === 'integer' ? 'numeric' : 'decimal'}
          autoComplete="off"
          onChange={event => onChange(event.target.value)}
        />
      )
    default:
      return (
        <input
          {...common}
          maxLength={field.maxLength}
          autoComplete="off"
          onChange={event => onChange(event.target.value)}
        />
      )
  }
}

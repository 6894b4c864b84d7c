import type { Json } from '~/lib/api'
import type { ProblemCause } from '~/lib/http'
import { readJson } from '~/lib/json-text'

/** How one member of an input object is asked for. */
export interface FormField {
  name: string
  kind: 'text' | 'longText' | 'number' | 'integer' | 'boolean' | 'choice' | 'json'
  label: string
  description?: string
  required: boolean
  /** Values of a choice. */
  choices?: Json[]
  /** What the field holds at first, as text. */
  initial: string
  minimum?: number
  maximum?: number
  maxLength?: number
}

/** What stands in the fields: text as typed; a boolean is `true` or `false`, a choice the index of its value, empty is absent. */
export type FormValues = Record<string, string>

type Schema = { [key: string]: Json }

/** Members beyond which a form helps less than the JSON editor. */
const fieldsMax = 24

/** Fields for a schema of an object with named properties; null when only the JSON editor can express it. */
export function formOf(inputSchema: Json | null | undefined): FormField[] | null {
  const schema = documentOf(inputSchema)
  if (!schema || !isObject(schema.properties)) return null
  if (['oneOf', 'anyOf', 'allOf', '$ref', 'if', 'patternProperties'].some(key => key in schema)) return null
  if (schema.type !== undefined && schema.type !== 'object') return null
  const properties = Object.entries(schema.properties)
  if (properties.length === 0 || properties.length > fieldsMax) return null
  const required = Array.isArray(schema.required) ? schema.required : []
  return properties.map(([name, property]) =>
    fieldOf(name, isObject(property) ? property : {}, required.includes(name)),
  )
}

/** The language writes `schema: {format, document}`; the schema itself is meant. */
function documentOf(inputSchema: Json | null | undefined): Schema | null {
  if (!isObject(inputSchema)) return null
  return isObject(inputSchema.document) && inputSchema.properties === undefined ? inputSchema.document : inputSchema
}

function fieldOf(name: string, schema: Schema, required: boolean): FormField {
  const field: FormField = {
    name,
    kind: kindOf(schema),
    label: typeof schema.title === 'string' ? schema.title : name,
    required,
    initial: '',
  }
  if (typeof schema.description === 'string') field.description = schema.description
  if (Array.isArray(schema.enum)) field.choices = schema.enum
  for (const limit of ['minimum', 'maximum', 'maxLength'] as const) {
    const value = schema[limit]
    if (typeof value === 'number') field[limit] = value
  }
  field.initial = textOf(field, schema.default)
  return field
}

function kindOf(schema: Schema): FormField['kind'] {
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return 'choice'
  switch (schema.type) {
    case 'string':
      return typeof schema.maxLength === 'number' && schema.maxLength > 200 ? 'longText' : 'text'
    case 'number':
      return 'number'
    case 'integer':
      return 'integer'
    case 'boolean':
      return 'boolean'
    default:
      return 'json'
  }
}

/** A value as the text of its field; empty for undefined. */
export function textOf(field: FormField, value: Json | undefined): string {
  if (value === undefined) return ''
  if (field.kind === 'choice') {
    const index = field.choices?.findIndex(c => JSON.stringify(c) === JSON.stringify(value)) ?? -1
    return index < 0 ? '' : String(index)
  }
  if (field.kind === 'json') return JSON.stringify(value, null, 2)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The values of an existing input, as far as the fields can hold it. */
export function valuesOf(fields: readonly FormField[], input?: Json): FormValues {
  const given = isObject(input) ? input : null
  return Object.fromEntries(fields.map(f => [f.name, given ? textOf(f, given[f.name]) : f.initial]))
}

export type FormResult = { input: Json; errors: null } | { input: null; errors: Record<string, string> }

/** Reads the fields. What only the schema knows (patterns, formats) is left to the server. */
export function readForm(fields: readonly FormField[], values: FormValues): FormResult {
  const input: { [key: string]: Json } = {}
  const errors: Record<string, string> = {}
  for (const field of fields) {
    const text = values[field.name] ?? ''
    if (text === '' || (field.kind !== 'text' && field.kind !== 'longText' && text.trim() === '')) {
      if (field.required) errors[field.name] = 'This value is required.'
      continue
    }
    const read = readField(field, text)
    if ('error' in read) errors[field.name] = read.error
    else input[field.name] = read.value
  }
  return Object.keys(errors).length > 0 ? { input: null, errors } : { input, errors: null }
}

function readField(field: FormField, text: string): { value: Json } | { error: string } {
  switch (field.kind) {
    case 'number':
    case 'integer': {
      const value = Number(text)
      if (!Number.isFinite(value)) return { error: 'This is not a number.' }
      if (field.kind === 'integer' && !Number.isInteger(value)) return { error: 'This is not a whole number.' }
      if (field.minimum !== undefined && value < field.minimum) return { error: `The least is ${field.minimum}.` }
      if (field.maximum !== undefined && value > field.maximum) return { error: `The most is ${field.maximum}.` }
      return { value }
    }
    case 'boolean':
      return { value: text === 'true' }
    case 'choice':
      return { value: field.choices?.[Number(text)] ?? null }
    case 'json':
      return readJson(text)
    default:
      return { value: text }
  }
}

/** Sorts a refusal's causes by the field that holds the value; what belongs to none comes under the empty name. */
export function errorsByField(fields: readonly FormField[], causes: readonly ProblemCause[]): Record<string, string> {
  const errors: Record<string, string> = {}
  for (const cause of causes) {
    const [, first = '', ...rest] = (cause.pointer ?? '').split('/')
    const name = unescapePointer(first)
    const field = fields.some(f => f.name === name) ? name : (missingMember(fields, cause) ?? '')
    const text = field === name && rest.length > 0 ? `At /${rest.join('/')}: ${cause.message}` : cause.message
    errors[field] = errors[field] ? `${errors[field]} ${text}` : text
  }
  return errors
}

/** A missing member is reported at the object that lacks it; its name stands quoted in the message. */
function missingMember(fields: readonly FormField[], cause: ProblemCause): string | undefined {
  if ((cause.pointer ?? '') !== '') return undefined
  const named = fields.filter(f => ["'", '"', '`'].some(q => cause.message.includes(`${q}${f.name}${q}`)))
  return named.length === 1 ? named[0]!.name : undefined
}

const unescapePointer = (segment: string) => segment.replaceAll('~1', '/').replaceAll('~0', '~')

function isObject(value: Json | null | undefined): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

import { describe, expect, test } from 'vitest'
import type { Json } from '~/lib/api'
import { errorsByField, formOf, readForm, valuesOf } from './input-form-model'

const schema: Json = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', title: 'Name', description: 'Who is greeted.' },
    count: { type: 'integer', minimum: 1, maximum: 9, default: 3 },
    loud: { type: 'boolean' },
    tone: { enum: ['calm', 'warm', 7] },
    extra: { type: 'array', items: { type: 'string' } },
  },
}
const fields = formOf(schema)!

describe('The form of an input schema', () => {
  test('has a field of the fitting kind for each property', () => {
    expect(fields.map(f => [f.name, f.kind, f.required])).toEqual([
      ['name', 'text', true],
      ['count', 'integer', false],
      ['loud', 'boolean', false],
      ['tone', 'choice', false],
      ['extra', 'json', false],
    ])
  })

  test('reads the schema from inside the language’s wrapper', () => {
    expect(formOf({ format: 'json', document: schema })).toEqual(fields)
  })

  test.each<[string, Json | undefined]>([
    ['no schema', undefined],
    ['a boolean schema', true],
    ['a string', { type: 'string' }],
    ['alternatives', { type: 'object', properties: { a: {} }, oneOf: [{}, {}] }],
    ['an object without named properties', { type: 'object' }],
  ])('gives way to the JSON editor for %s', (_, other) => {
    expect(formOf(other)).toBeNull()
  })

  test('starts with the defaults, or with a given input', () => {
    expect(valuesOf(fields)).toMatchObject({ name: '', count: '3' })
    expect(valuesOf(fields, { name: 'Ada', tone: 7, extra: ['x'] })).toMatchObject({
      name: 'Ada',
      tone: '2',
      count: '',
      extra: '[\n  "x"\n]',
    })
  })
})

describe('Reading a form', () => {
  test('gives values of the declared types and leaves empty ones out', () => {
    const values = { name: 'Ada', count: '4', loud: 'true', tone: '0', extra: '["a"]' }
    expect(readForm(fields, values).input).toEqual({ name: 'Ada', count: 4, loud: true, tone: 'calm', extra: ['a'] })
    expect(readForm(fields, { name: 'Ada' }).input).toEqual({ name: 'Ada' })
  })

  test('says at the field what is wrong', () => {
    const { errors } = readForm(fields, { count: '2.5', extra: '[1,' })
    expect(errors).toEqual({
      name: 'This value is required.',
      count: 'This is not a whole number.',
      extra: expect.stringContaining('This is not JSON'),
    })
    expect(readForm(fields, { name: 'a', count: '12' }).errors).toEqual({ count: 'The most is 9.' })
  })

  test('keeps spaces in text', () => {
    expect(readForm(fields, { name: ' Ada ' }).input).toEqual({ name: ' Ada ' })
  })
})

describe('A refusal’s causes', () => {
  test('go to the field that their pointer names', () => {
    const causes = [
      { message: 'Expected a string.', pointer: '/name' },
      { message: 'Expected a string.', pointer: '/extra/1' },
    ]
    expect(errorsByField(fields, causes)).toEqual({ name: 'Expected a string.', extra: 'At /1: Expected a string.' })
  })

  test('go to the missing member that the message names', () => {
    expect(errorsByField(fields, [{ message: "The required member 'name' is missing.", pointer: '' }])).toEqual({
      name: "The required member 'name' is missing.",
    })
  })

  test('stand alone when no field is meant', () => {
    expect(errorsByField(fields, [{ message: 'Too many members.', pointer: '' }])).toEqual({ '': 'Too many members.' })
  })
})

import { describe, expect, test } from 'vitest'
import { nextVersion, parseFrom } from './editor-model'

describe('A new version', () => {
  test('raises the patch of the document and nothing else', () => {
    const text = "document:\n  dsl: '1.0.0'\n  version: '1.0.0'\nuse: { version: '1.0.0' }"
    expect(nextVersion(text, '1.0.0')).toBe("document:\n  dsl: '1.0.0'\n  version: '1.0.1'\nuse: { version: '1.0.0' }")
    expect(nextVersion('{"version": "1.0.0"}', '1.0.0')).toBe('{"version": "1.0.1"}')
  })

  test('leaves a text it does not understand', () => {
    expect(nextVersion('version: 1.0.0-rc.1', '1.0.0-rc.1')).toBe('version: 1.0.0-rc.1')
  })

  test('is named by namespace, name and version', () => {
    expect(parseFrom('a/b:1.0.0')).toEqual({ namespace: 'a', name: 'b', version: '1.0.0' })
    expect(parseFrom('a/b')).toBeNull()
  })
})

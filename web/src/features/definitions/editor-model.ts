import type { DefinitionRef } from '~/lib/api'

/** What a newcomer's editor begins with: it runs as it stands. */
export const firstDefinition = `document:
  dsl: '1.0.3'
  namespace: examples
  name: greeting
  version: '1.0.0'
  title: Greets somebody
input:
  schema:
    document:
      type: object
      required: [name]
      properties:
        name:
          type: string
          description: Who is greeted.
do:
  - compose:
      set:
        text: Hello \${ .name }!
  - pause:
      wait:
        seconds: 2
  - finish:
      set:
        said: \${ .text }
`

/** Reads `namespace/name:version`. */
export function parseFrom(text: string): DefinitionRef | null {
  const match = /^([^/:]+)\/([^/:]+):(.+)$/.exec(text)
  return match ? { namespace: match[1]!, name: match[2]!, version: match[3]! } : null
}

/** The text with its document version raised by one patch, where it stands as expected; otherwise as it is. */
export function nextVersion(source: string, version: string): string {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(version)
  if (!match) return source
  const raised = `${match[1]}.${match[2]}.${Number(match[3]) + 1}`
  const quoted = version.replaceAll('.', String.raw`\.`)
  return source.replace(new RegExp(`(\\bversion["']?:\\s*["']?)${quoted}(?![\\d.])`), `$1${raised}`)
}

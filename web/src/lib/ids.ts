/** A random UUID; also where the page is served over plain HTTP from another host and `randomUUID` is absent. */
export function newKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes].map(b => b.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** The part of an id that tells runs apart at a glance: UUIDv7 begins with the time, so its end is the random part. */
export function shortId(id: string): string {
  return id.slice(-8)
}

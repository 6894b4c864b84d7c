import type { QueryClient, QueryKey } from '@tanstack/react-query'

/**
 * Reads again what is shown under a key. An answer that is on its way may be older than the reason to read again, so it
 * is dropped; invalidating alone would settle for it.
 */
export async function refresh(client: QueryClient, queryKey: QueryKey): Promise<void> {
  await client.cancelQueries({ queryKey })
  await client.invalidateQueries({ queryKey })
}

/**
 * Asks again at this pace once there is an answer. Without one the page shows why, and asking again would take that away
 * while it is under way: then it is the reader who tries again.
 */
export function every(ms: number) {
  return (query: { state: { data: unknown } }): number | false => (query.state.data === undefined ? false : ms)
}

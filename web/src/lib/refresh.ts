import type { QueryClient, QueryKey } from '@tanstack/react-query'

/**
 * Reads again what is shown under a key. An answer that is on its way may be older than the reason to read again, so it
 * is dropped; invalidating alone would settle for it.
 */
export async function refresh(client: QueryClient, queryKey: QueryKey): Promise<void> {
  await client.cancelQueries({ queryKey })
  await client.invalidateQueries({ queryKey })
}

import type { Json } from './api'
import { request } from './http'

export interface OutgoingEvent {
  id: string
  type: string
  source: string
  subject?: string
  data: Json | undefined
}

export interface SentEvents {
  kept: number
  duplicates: number
  items: { position: number; duplicate: boolean }[]
}

/** Sends a CloudEvent to the workspace: whoever listens for it hears it. The same source and id again is the same event. */
export function sendEvent(event: OutgoingEvent): Promise<SentEvents> {
  const body = JSON.stringify({ specversion: '1.0', time: new Date().toISOString(), ...event })
  return request('/api/v1/events', { text: { type: 'application/cloudevents+json', body } })
}

/** One located cause inside a problem: of a document (line, column), or of a value (pointer, schema). */
export interface ProblemCause {
  message: string
  severity?: string
  code?: string
  line?: number
  column?: number
  pointer?: string
  schema?: string
  expected?: string | null
}

/** What the server refused, or why it was not reached. The only error type of the application's requests. */
export class Problem extends Error {
  constructor(
    /** HTTP status; 0 when there was no answer. */
    readonly status: number,
    /** Stable code of the server, or `network.unreachable`, `network.bad_answer`. */
    readonly code: string,
    readonly title: string,
    readonly detail?: string,
    readonly causes: readonly ProblemCause[] = [],
  ) {
    super(detail ? `${title} ${detail}` : title)
    this.name = 'Problem'
  }
}

export interface RequestOptions {
  method?: string
  /** Sent as JSON unless `text` is given. */
  json?: unknown
  text?: { type: string; body: string }
  headers?: Record<string, string>
  query?: Record<string, string | number | readonly string[] | null | undefined>
  signal?: AbortSignal
}

/** The one way to the server. Answers the raw response; throws a Problem for any status from 400. */
export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json', ...options.headers }
  let body: string | undefined
  if (options.text) {
    headers['content-type'] = options.text.type
    body = options.text.body
  } else if (options.json !== undefined) {
    headers['content-type'] = 'application/json'
    body = JSON.stringify(options.json)
  }
  const init: RequestInit = { method: options.method ?? (body === undefined ? 'GET' : 'POST'), headers }
  if (body !== undefined) init.body = body
  if (options.signal) init.signal = options.signal
  let response: Response
  try {
    response = await fetch(path + queryString(options.query), init)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Problem(0, 'network.unreachable', 'The server cannot be reached.', 'Nothing was changed by this page.')
  }
  if (!response.ok) throw await problemOf(response)
  return response
}

export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options)
  try {
    return (await response.json()) as T
  } catch {
    throw new Problem(
      response.status,
      'network.bad_answer',
      'The answer is not JSON.',
      `${options.method ?? 'GET'} ${path}`,
    )
  }
}

export async function requestText(path: string, options: RequestOptions = {}): Promise<string> {
  const response = await send(path, { ...options, headers: { accept: '*/*', ...options.headers } })
  return response.text()
}

/** Builds a path of encoded segments. */
export function url(strings: TemplateStringsArray, ...segments: (string | number)[]): string {
  return strings.reduce((all, part, i) => all + encodeURIComponent(String(segments[i - 1])) + part)
}

export function queryString(query: RequestOptions['query'] = {}): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(key, String(one))
  }
  const text = search.toString()
  return text ? `?${text}` : ''
}

/** The reverse: texts, and lists of texts where a name is repeated. */
export function parseQuery(text: string): Record<string, string | string[]> {
  const search = new URLSearchParams(text)
  const keys = new Set(search.keys())
  return Object.fromEntries(
    [...keys].map(key => {
      const all = search.getAll(key)
      return [key, all.length > 1 ? all : all[0]!]
    }),
  )
}

async function problemOf(response: Response): Promise<Problem> {
  const fallback = `${response.status} ${response.statusText}`.trim()
  const body: unknown = await response.json().catch(() => null)
  if (typeof body !== 'object' || body === null) return new Problem(response.status, 'http.error', fallback)
  const { title, detail, code, errors } = body as Record<string, unknown>
  return new Problem(
    response.status,
    typeof code === 'string' ? code : 'http.error',
    typeof title === 'string' ? title : fallback,
    typeof detail === 'string' ? detail : undefined,
    Array.isArray(errors) ? (errors as ProblemCause[]) : [],
  )
}

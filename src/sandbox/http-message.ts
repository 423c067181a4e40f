import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** One request as a stand-in sees it: nothing decoded, nothing parsed, the body unread. */
export interface SandboxRequest {
  readonly method: string
  /** The request target exactly as it came over the wire. */
  readonly target: string
  /** The target before `?`, not decoded: an encoded slash stays an encoded slash. */
  readonly path: string
  /** The target after the first `?`, not decoded; `''` when there is none. */
  readonly rawQuery: string
  readonly headers: IncomingHttpHeaders
  /** Node's own message: for streaming uploads and for the client's certificate. */
  readonly incoming: IncomingMessage
  /** Aborted when the caller goes away or the sandbox closes. */
  readonly signal: AbortSignal
  /** The raw bytes of the body (also of a GET's), or undefined when there are more than `limit` (64 KiB by default). */
  body(limit?: number): Promise<Buffer | undefined>
}

/** What a stand-in answers. A stream is written as it comes and ended when it ends. */
export interface SandboxReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | AsyncIterable<string | Uint8Array>
}

export type SandboxHandler = (request: SandboxRequest) => SandboxReply | Promise<SandboxReply>

const defaultBodyLimit = 64 * 1024

export function readRequest(incoming: IncomingMessage, signal: AbortSignal): SandboxRequest {
  const target = incoming.url ?? '/'
  const mark = target.indexOf('?')
  let whole: Promise<Buffer | undefined> | undefined
  return {
    method: incoming.method ?? 'GET',
    target,
    path: mark === -1 ? target : target.slice(0, mark),
    rawQuery: mark === -1 ? '' : target.slice(mark + 1),
    headers: incoming.headers,
    incoming,
    signal,
    body: (limit = defaultBodyLimit) => (whole ??= readBody(incoming, limit)),
  }
}

async function readBody(incoming: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    size += bytes.length
    // Read on to the end without keeping anything, so that the caller gets to read our answer; but not for ever.
    if (size <= limit) chunks.push(bytes)
    else if (size > limit + 16 * 1024 * 1024) break
  }
  return size > limit ? undefined : Buffer.concat(chunks)
}

/** A compact JSON answer: one official client looks for `"token":"is valid"` in the text, without blanks. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): SandboxReply {
  return {
    status,
    headers: { 'content-type': 'application/json;charset=utf-8', ...headers },
    body: JSON.stringify(value),
  }
}

export function text(status: number, body: string, contentType = 'text/plain;charset=utf-8'): SandboxReply {
  return { status, headers: { 'content-type': contentType }, body }
}

/** The value of a header that came exactly once. */
export function header(request: SandboxRequest, name: string): string | undefined {
  const values = request.incoming.headersDistinct[name.toLowerCase()]
  return values?.length === 1 ? values[0] : undefined
}

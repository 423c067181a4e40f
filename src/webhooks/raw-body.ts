import type { IncomingMessage } from 'node:http'
import type { Deadline } from './deadlines.js'

/** What became of reading a request's body. */
export type RawBody =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: 'eaten' | 'too-large' | 'cut-off' }

/**
 * The bytes of a request's body, as they came over the wire.
 *
 * Where something read the stream before us, the bytes must have been kept: as a Buffer in `req.rawBody` (the `verify`
 * hook of body parsers) or in `req.body` (`express.raw`). What a parser made of them can't be turned back.
 */
export function readRawBody(req: IncomingMessage, maxBytes: number, deadline: Deadline): Promise<RawBody> {
  const kept = keptBytes(req)
  if (kept)
    return Promise.resolve(kept.length > maxBytes ? { ok: false, reason: 'too-large' } : { ok: true, bytes: kept })
  if (req.readableDidRead || req.readableEnded) return Promise.resolve({ ok: false, reason: 'eaten' })
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve({ ok: false, reason: 'too-large' })
  return collect(req, maxBytes, deadline)
}

function keptBytes(req: IncomingMessage): Uint8Array | undefined {
  // Properties that other middleware adds; not part of node's type.
  const candidates: readonly unknown[] = [Reflect.get(req, 'rawBody'), Reflect.get(req, 'body')]
  return candidates.find((candidate): candidate is Uint8Array => candidate instanceof Uint8Array)
}

function collect(req: IncomingMessage, maxBytes: number, deadline: Deadline): Promise<RawBody> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = []
    let length = 0
    let isOver = false
    const fail = (reason: 'eaten' | 'too-large' | 'cut-off'): void => {
      isOver = true
      resolve({ ok: false, reason })
      // Whatever still comes is thrown away, or the socket could not be used for the answer.
      req.resume()
    }
    const passed = deadline.onPassed
    deadline.onPassed = () => {
      passed()
      if (!isOver) fail('cut-off')
    }
    req.on('data', (chunk: unknown) => {
      if (isOver) return
      // A string: somebody called setEncoding, and the bytes are gone.
      if (!(chunk instanceof Uint8Array)) return fail('eaten')
      chunks.push(chunk)
      length += chunk.length
      if (length > maxBytes) fail('too-large')
    })
    req.on('end', () => {
      isOver = true
      resolve({ ok: true, bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) })
    })
    // Comes after the end too, and after an error: then there is nothing left to resolve.
    req.on('close', () => {
      if (!isOver) fail('cut-off')
    })
  })
}

/** Path and query of a request as they were received: a router that mounts a handler under a path cuts `req.url`. */
export function addressOf(req: IncomingMessage): string {
  const original: unknown = Reflect.get(req, 'originalUrl')
  return typeof original === 'string' ? original : (req.url ?? '')
}

/** What stands between `?` and `#` in the address of a request, not decoded. */
export function readRawQuery(req: IncomingMessage): string {
  const [beforeFragment = ''] = addressOf(req).split('#', 1)
  const start = beforeFragment.indexOf('?')
  return start < 0 ? '' : beforeFragment.slice(start + 1)
}

/** The value of a header that must come exactly once; undefined if it is missing or repeated. */
export function onlyHeader(req: IncomingMessage, name: string): string | undefined {
  const joined = req.headers[name]
  // Node joins what is repeated with commas: without one there is nothing to look for.
  if (typeof joined !== 'string' || !joined.includes(',')) return typeof joined === 'string' ? joined : undefined
  const times = req.rawHeaders.filter((entry, index) => index % 2 === 0 && entry.toLowerCase() === name).length
  return times === 1 ? joined : undefined
}

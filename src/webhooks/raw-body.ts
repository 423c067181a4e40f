import type { IncomingMessage } from 'node:http'

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
export function readRawBody(req: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<RawBody> {
  const kept = keptBytes(req)
  if (kept)
    return Promise.resolve(kept.length > maxBytes ? { ok: false, reason: 'too-large' } : { ok: true, bytes: kept })
  if (req.readableDidRead || req.readableEnded) return Promise.resolve({ ok: false, reason: 'eaten' })
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve({ ok: false, reason: 'too-large' })
  return collect(req, maxBytes, signal)
}

function keptBytes(req: IncomingMessage): Uint8Array | undefined {
  // Properties that other middleware adds; not part of node's type.
  const candidates: readonly unknown[] = [Reflect.get(req, 'rawBody'), Reflect.get(req, 'body')]
  return candidates.find((candidate): candidate is Uint8Array => candidate instanceof Uint8Array)
}

function collect(req: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<RawBody> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = []
    let length = 0
    const finish = (body: RawBody): void => {
      req.off('data', onData)
      req.off('end', onEnd)
      req.off('error', onCutOff)
      req.off('close', onCutOff)
      signal.removeEventListener('abort', onCutOff)
      // Whatever still comes is thrown away, or the socket could not be used for the answer.
      if (!body.ok) req.resume()
      resolve(body)
    }
    const onData = (chunk: unknown): void => {
      // A string: somebody called setEncoding, and the bytes are gone.
      if (!(chunk instanceof Uint8Array)) return finish({ ok: false, reason: 'eaten' })
      chunks.push(chunk)
      length += chunk.length
      if (length > maxBytes) finish({ ok: false, reason: 'too-large' })
    }
    const onEnd = (): void =>
      finish({ ok: true, bytes: chunks[0] && chunks.length === 1 ? chunks[0] : Buffer.concat(chunks) })
    const onCutOff = (): void => finish({ ok: false, reason: 'cut-off' })
    req.on('data', onData).on('end', onEnd).on('error', onCutOff).on('close', onCutOff)
    signal.addEventListener('abort', onCutOff)
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
  let value: string | undefined
  for (let index = 0; index + 1 < req.rawHeaders.length; index += 2) {
    if (req.rawHeaders[index]?.toLowerCase() !== name) continue
    if (value !== undefined) return undefined
    value = req.rawHeaders[index + 1]
  }
  return value
}

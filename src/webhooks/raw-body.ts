import type { IncomingMessage } from 'node:http'

/** Why there are no bytes. */
export type BodyFault = 'eaten' | 'too-large' | 'cut-off'

/** What became of reading a request's body: its bytes, or why there are none. */
export type RawBody = Uint8Array | BodyFault

const nothingToStop = (): void => undefined

/**
 * Reads a request's body: its bytes, as they came over the wire. `onRead` is called once, before the return where nothing
 * has to be waited for. The returned function ends the reading: the body is cut off.
 *
 * Where something read the stream before us, the bytes must have been kept: as a Buffer in `req.rawBody` (the `verify`
 * hook of body parsers) or in `req.body` (`express.raw`). What a parser made of them can't be turned back.
 */
export function readRawBody(req: IncomingMessage, maxBytes: number, onRead: (body: RawBody) => void): () => void {
  const known = knownBody(req, maxBytes)
  if (known === undefined) return collect(req, maxBytes, onRead)
  onRead(known)
  return nothingToStop
}

/** What can be said of the body without reading it. */
function knownBody(req: IncomingMessage, maxBytes: number): RawBody | undefined {
  const kept = keptBytes(req)
  if (kept) return kept.length > maxBytes ? 'too-large' : kept
  if (req.readableDidRead || req.readableEnded) return 'eaten'
  return Number(req.headers['content-length'] ?? 0) > maxBytes ? 'too-large' : undefined
}

function keptBytes(req: IncomingMessage): Uint8Array | undefined {
  // Properties that other middleware adds; not part of node's type.
  const rawBody: unknown = Reflect.get(req, 'rawBody')
  if (rawBody instanceof Uint8Array) return rawBody
  const body: unknown = Reflect.get(req, 'body')
  return body instanceof Uint8Array ? body : undefined
}

function collect(req: IncomingMessage, maxBytes: number, onRead: (body: RawBody) => void): () => void {
  let first: Uint8Array | undefined
  let rest: Uint8Array[] | undefined
  let length = 0
  let isOver = false
  const end = (body: RawBody): void => {
    if (isOver) return
    isOver = true
    // A request outlives its answer by a while, and with it whatever hangs on it.
    req.off('data', onData).off('end', onEnd).off('close', onClose)
    onRead(body)
    // Whatever still comes is thrown away, or the socket could not be used for the answer.
    if (typeof body === 'string') req.resume()
  }
  const onData = (chunk: unknown): void => {
    // A string: somebody called setEncoding, and the bytes are gone.
    if (!(chunk instanceof Uint8Array)) return end('eaten')
    length += chunk.length
    if (length > maxBytes) return end('too-large')
    if (!first) first = chunk
    else (rest ??= []).push(chunk)
  }
  const onEnd = (): void => {
    const start = first ?? new Uint8Array()
    end(rest ? Buffer.concat([start, ...rest]) : start)
  }
  const onClose = (): void => end('cut-off')
  req.on('data', onData).on('end', onEnd).on('close', onClose)
  return onClose
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

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** Why there are no bytes. */
export type BodyFault = 'eaten' | 'too-large' | 'cut-off'

/** What became of reading a request's body: its bytes, or why there are none. */
export type RawBody = Uint8Array | BodyFault

/**
 * A request, and what was read from it once. Behind Express each request is an object of a shape that no inline cache
 * knows, and each look at one of its properties costs a third of a microsecond.
 */
export interface ReadRequest {
  readonly req: IncomingMessage
  readonly method: string | undefined
  readonly headers: IncomingHttpHeaders
}

const nothingToStop = (): void => undefined

/**
 * Reads a request's body: its bytes, as they came over the wire. `onRead` is called once, before the return where nothing
 * has to be waited for. The returned function ends the reading: the body is cut off.
 *
 * Where something read the stream before us, the bytes must have been kept: as a Buffer in `req.rawBody` (the `verify`
 * hook of body parsers) or in `req.body` (`express.raw`). What a parser made of them can't be turned back.
 */
export function readRawBody(
  { req, headers }: ReadRequest,
  maxBytes: number,
  onRead: (body: RawBody) => void,
): () => void {
  const known = knownBody(req, Number(headers['content-length'] ?? 0), maxBytes)
  if (known === undefined) return collect(req, maxBytes, onRead)
  onRead(known)
  return nothingToStop
}

/** What can be said of the body without reading it. */
function knownBody(req: IncomingMessage, announced: number, maxBytes: number): RawBody | undefined {
  const kept = keptBytes(req)
  if (kept) return kept.length > maxBytes ? 'too-large' : kept
  // A stream that ended without giving a byte had none.
  if (req.readableDidRead || (!(announced > 0) && req.readableEnded)) return 'eaten'
  return announced > maxBytes ? 'too-large' : undefined
}

function keptBytes(req: IncomingMessage): Uint8Array | undefined {
  // Properties that other middleware adds; not part of node's type.
  const rawBody: unknown = Reflect.get(req, 'rawBody')
  if (rawBody instanceof Uint8Array) return rawBody
  const body: unknown = Reflect.get(req, 'body')
  return body instanceof Uint8Array ? body : undefined
}

function collect(req: IncomingMessage, maxBytes: number, onRead: (body: RawBody) => void): () => void {
  const reading = new Reading(req, maxBytes, onRead)
  const cutOff = (): void => reading.end('cut-off')
  // They stay when the reading is over, for to take them off is a dozen looks at the request. What would hang on them is
  // let go in `end`.
  req
    .on('data', (chunk: unknown) => reading.add(chunk))
    .on('end', () => reading.end(reading.bytes()))
    .on('close', cutOff)
  return cutOff
}

/** The body of one request while it comes in. */
class Reading {
  private readonly req: IncomingMessage
  private readonly maxBytes: number
  private onRead: ((body: RawBody) => void) | undefined
  private first: Uint8Array | undefined
  private rest: Uint8Array[] | undefined
  private length = 0

  constructor(req: IncomingMessage, maxBytes: number, onRead: (body: RawBody) => void) {
    this.req = req
    this.maxBytes = maxBytes
    this.onRead = onRead
  }

  add(chunk: unknown): void {
    if (!this.onRead) return
    // A string: somebody called setEncoding, and the bytes are gone.
    if (!(chunk instanceof Uint8Array)) return this.end('eaten')
    this.length += chunk.length
    if (this.length > this.maxBytes) return this.end('too-large')
    if (!this.first) this.first = chunk
    else (this.rest ??= []).push(chunk)
  }

  bytes(): Uint8Array {
    const start = this.first ?? new Uint8Array()
    return this.rest ? Buffer.concat([start, ...this.rest]) : start
  }

  /** Only the first call counts. */
  end(body: RawBody): void {
    const { onRead } = this
    if (!onRead) return
    this.onRead = this.first = this.rest = undefined
    onRead(body)
    // Whatever still comes is thrown away, or the socket could not be used for the answer.
    if (typeof body === 'string') this.req.resume()
  }
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
export function onlyHeader({ req, headers }: ReadRequest, name: string): string | undefined {
  const joined = headers[name]
  // Node joins what is repeated with commas: without one there is nothing to look for.
  if (typeof joined !== 'string' || !joined.includes(',')) return typeof joined === 'string' ? joined : undefined
  const times = req.rawHeaders.filter((entry, index) => index % 2 === 0 && entry.toLowerCase() === name).length
  return times === 1 ? joined : undefined
}

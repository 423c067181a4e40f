import { Agent as HttpAgent, type ClientRequestArgs } from 'node:http'
import { Agent as HttpsAgent, type RequestOptions } from 'node:https'
import { Readable, type Duplex } from 'node:stream'
import type { SecureContext } from 'node:tls'
import fetch from 'node-fetch'
import type { FetchInit, FetchLike } from '../runtime.js'

/** Code of the error with which a socket ends that was not connected in time. */
export const CONNECT_TIMEOUT = 'OUTOFBAND_CONNECT_TIMEOUT'

// An idle connection is closed before most servers do so: a POST that meets a server's close has an unknown outcome.
const IDLE_MS = 4000

/** node-fetch over keep-alive agents of our own, with a deadline for name lookup, TCP and TLS handshake together. */
export class NodeFetch {
  readonly #http: HttpAgent
  readonly #https: HttpsAgent

  constructor(connectTimeoutMs: number, context: SecureContext | undefined) {
    const options = { keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' } as const
    this.#http = new PlainAgent(connectTimeoutMs, options)
    this.#https = new TlsAgent(connectTimeoutMs, {
      ...options,
      minVersion: 'TLSv1.2',
      // Said outright, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment changes nothing.
      rejectUnauthorized: true,
      ...(context && { secureContext: context }),
    })
  }

  readonly fetch: FetchLike = async (url, init) => {
    const response = await fetch(url, {
      method: init.method,
      headers: { ...init.headers },
      signal: init.signal,
      redirect: init.redirect,
      // Without Accept-Encoding a compressed answer is a broken one; there is nothing to unpack, so no bomb either.
      compress: false,
      agent: ({ protocol }) => (protocol === 'https:' ? this.#https : this.#http),
      ...bodyOf(init),
    })
    return { status: response.status, headers: response.headers, body: response.body }
  }

  /** Closes all connections. */
  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }
}

function bodyOf({ body }: FetchInit): { body?: string | Buffer | Readable } {
  if (body === undefined) return {}
  if (typeof body === 'string') return { body }
  if (body instanceof Uint8Array) return { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) }
  return { body: Readable.from(body, { objectMode: false }) }
}

class PlainAgent extends HttpAgent {
  readonly #connectTimeoutMs: number

  constructor(connectTimeoutMs: number, options: ConstructorParameters<typeof HttpAgent>[0]) {
    super(options)
    this.#connectTimeoutMs = connectTimeoutMs
  }

  override createConnection(options: ClientRequestArgs, callback?: (error: Error | null, stream: Duplex) => void) {
    return limit(super.createConnection(options, callback), 'connect', this.#connectTimeoutMs)
  }
}

class TlsAgent extends HttpsAgent {
  readonly #connectTimeoutMs: number

  constructor(connectTimeoutMs: number, options: ConstructorParameters<typeof HttpsAgent>[0]) {
    super(options)
    this.#connectTimeoutMs = connectTimeoutMs
  }

  override createConnection(options: RequestOptions, callback?: (error: Error | null, stream: Duplex) => void) {
    return limit(super.createConnection(options, callback), 'secureConnect', this.#connectTimeoutMs)
  }
}

function limit(socket: Duplex | null | undefined, connected: string, timeoutMs: number): typeof socket {
  const timer = setTimeout(() => {
    socket?.destroy(Object.assign(new Error('not connected in time'), { code: CONNECT_TIMEOUT }))
  }, timeoutMs)
  const stop = (): void => clearTimeout(timer)
  socket?.once(connected, stop)
  socket?.once('close', stop)
  return socket
}

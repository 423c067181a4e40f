import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Exchange, GoldenCase } from './cases.js'

/** One request as it is compared: what it means, not how it is spelt. */
export interface Meaning {
  origin: string
  method: string
  path: string
  query: Record<string, string>
  token: boolean
  chunked: boolean
  body: unknown
}

const origins = ['portal', 'sendsecure', 'fileserver'] as const

/** Three real servers that answer as it was recorded, and note what they were asked. */
export class Replay {
  readonly seen: Meaning[] = []
  /** Answers to calls that were not recorded in the case at hand. */
  readonly extra: Exchange[]
  readonly #servers: Server[] = []
  readonly #urls = new Map<string, string>()
  #pending: Exchange[] = []

  constructor(extra: Exchange[]) {
    this.extra = extra
  }

  async start(): Promise<this> {
    for (const origin of origins) {
      const server = createServer((request, response) => {
        void this.#answer(origin, request).then(({ status, headers, body }) => {
          response.writeHead(status, headers).end(body)
        })
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      this.#servers.push(server)
      this.#urls.set(origin, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    }
    return this
  }

  load(golden: GoldenCase): void {
    this.seen.length = 0
    this.#pending = [...golden.exchanges]
  }

  /** Puts real addresses where the recording has placeholders. */
  fill<T>(value: T): T {
    const text = JSON.stringify(value).replace(/\{\{(\w+)\}\}/g, (whole, name: string) => this.#urls.get(name) ?? whole)
    return JSON.parse(text) as T
  }

  close(): void {
    for (const server of this.#servers) {
      server.closeAllConnections()
      server.close()
    }
  }

  async #answer(origin: string, request: IncomingMessage) {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url ?? '/', 'http://x')
    const path = url.pathname.replace(/\.json$/, '')
    this.seen.push({
      origin,
      method: request.method ?? '',
      path: decodeURIComponent(path),
      query: Object.fromEntries(url.searchParams),
      token: request.headers['authorization-token'] !== undefined,
      chunked: request.headers['transfer-encoding'] === 'chunked',
      body: meaningOfBody(request.headers['content-type'] ?? '', Buffer.concat(chunks)),
    })
    const found = this.#find(origin, request.method ?? '', decodeURIComponent(path))
    if (!found) return { status: 599, headers: {}, body: 'not recorded' }
    const { status, headers, body } = this.fill(found.response)
    return { status, headers, body: body.json === undefined ? (body.text ?? '') : JSON.stringify(body.json) }
  }

  #find(origin: string, method: string, path: string): Exchange | undefined {
    const fits = ({ request }: Exchange): boolean =>
      request.origin === origin &&
      request.method === method &&
      decodeURIComponent(request.path)
        .replace(/\.json$/, '')
        .replace('/participants/autocomplete', '/recipients/autocomplete') === path
    const index = this.#pending.findIndex(fits)
    if (index !== -1) return this.#pending.splice(index, 1)[0]
    // Some recorded paths are wrong (they hold the word undefined); their answers are for the right path.
    const alike = ({ request }: Exchange): boolean => request.origin === origin && request.method === method
    return this.extra.find(fits) ?? this.#pending.find(alike)
  }
}

/** What a recorded request means. */
export function meaningOf({ request }: Exchange): Meaning {
  const { multipart, json } = request.body
  return {
    origin: request.origin,
    method: request.method,
    path: decodeURIComponent(request.path),
    query: Object.fromEntries(request.query),
    token: request.headers['authorization-token'] !== undefined,
    chunked: request.headers['transfer-encoding'] === 'chunked',
    body: multipart
      ? { parts: multipart.parts.map(({ headers, size, sha256 }) => ({ headers, size, sha256 })) }
      : (json ?? ''),
  }
}

function meaningOfBody(type: string, bytes: Buffer): unknown {
  const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(type)?.[1]
  if (boundary !== undefined) return { parts: parts(bytes.toString('latin1'), boundary) }
  return bytes.length > 0 && type.startsWith('application/json')
    ? (JSON.parse(bytes.toString()) as unknown)
    : bytes.toString()
}

function parts(text: string, boundary: string) {
  return text
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const [head = '', ...rest] = part.replace(/^\r\n/, '').split('\r\n\r\n')
      const content = Buffer.from(rest.join('\r\n\r\n').replace(/\r\n$/, ''), 'latin1')
      return {
        headers: Buffer.from(head, 'latin1').toString().split('\r\n'),
        size: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
      }
    })
}

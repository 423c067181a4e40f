import type { IncomingHttpHeaders } from 'node:http'
import { listen, type Listening } from './listen.js'

/** A request as it arrived. */
export interface Recorded {
  readonly method: string
  /** The path as it was sent, undecoded. */
  readonly path: string
  /** Without the question mark. */
  readonly query: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** An HTTP server that writes down what it gets, and answers with the next reply that was queued, or with 500. */
export interface Recorder {
  readonly url: string
  readonly requests: Recorded[]
  /** Queues a reply; an object is sent as JSON. */
  reply(status: number, body: unknown, headers?: Readonly<Record<string, string>>): void
  close(): Promise<void>
}

/** Starts one on a free loopback port. */
export async function startRecorder(): Promise<Recorder> {
  const requests: Recorded[] = []
  const replies: { status: number; body: string; headers: Readonly<Record<string, string>> }[] = []
  const server: Listening = await listen((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const [path = '', query = ''] = (req.url ?? '').split('?')
      const body = Buffer.concat(chunks).toString('utf8')
      requests.push({ method: req.method ?? '', path, query, headers: req.headers, body })
      const reply = replies.shift() ?? { status: 500, body: 'nothing was queued', headers: {} }
      res
        .writeHead(reply.status, { 'content-type': 'application/json;charset=utf-8', ...reply.headers })
        .end(reply.body)
    })
  })
  return {
    url: server.url,
    requests,
    reply: (status, body, headers = {}) => {
      replies.push({ status, body: typeof body === 'string' ? body : JSON.stringify(body), headers })
    },
    close: () => server.close(),
  }
}

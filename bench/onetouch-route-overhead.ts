import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { signOneTouch } from 'passport-outofband/webhooks'
import { z } from 'zod'
import { type Figure, type Measured, pairs, summary } from './harness.js'
import { postVectors } from './vectors.js'

const apiKey = 'a key for the bench and nothing else'
const callbackUrl = 'https://app.example.com/authy/callback'
const CONNECTIONS = 32
const REQUESTS = 1000

// A captured callback, but for the end of its request, which would be over.
const body = postVectors(['captured-post-approved-no-details'])
  .map(({ rawBody }) => rawBody.replace(/("expiration_timestamp":)[0-9]+/, '$14102444800'))
  .join('')

async function measure(): Promise<Measured> {
  const ours = await Server.start('ours')
  const bare = await Server.start('bare')
  try {
    let requests: readonly Buffer[] = []
    const quotients = await pairs(
      () => ours.sendAll(requests),
      () => bare.sendAll(requests),
      {
        pairs: 61,
        times: 1,
        warmUp: 8,
        isMirrored: true,
        // The same bytes go to both.
        prepare: () => (requests = signedRequests()),
        // The one that waits uses none.
        clock: async () => (await ours.processorTime()) + (await bare.processorTime()),
      },
    )
    return summary(quotients.map((quotient) => (quotient - 1) * 100))
  } finally {
    ours.stop()
    bare.stop()
  }
}

/** One of the two routes, in a process of its own: each pays for collecting its own garbage, and for no other work. */
class Server {
  readonly #process: ChildProcess
  #sockets: readonly Socket[] = []

  private constructor(side: 'ours' | 'bare') {
    this.#process = fork(new URL('route-server.ts', import.meta.url), {
      env: { ...process.env, apiKey, callbackUrl, side },
    })
  }

  static async start(side: 'ours' | 'bare'): Promise<Server> {
    const server = new Server(side)
    const port = await server.#number()
    server.#sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => connection(port)))
    return server
  }

  /** What the server used: a client that is slower than it would hide the difference. Milliseconds. */
  async processorTime(): Promise<number> {
    this.#process.send('time')
    return this.#number()
  }

  /** Each connection sends its share, one request after the answer to the other. */
  async sendAll(requests: readonly Buffer[]): Promise<void> {
    const waiting = requests.values()
    await Promise.all(this.#sockets.map((socket) => sendShare(socket, waiting)))
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#process.disconnect()
  }

  async #number(): Promise<number> {
    const [message] = z
      .tuple([z.number()])
      .rest(z.unknown())
      .parse(await once(this.#process, 'message'))
    return message
  }
}

let sent = 0

/** Requests that were never sent before: a repeat would be less work. */
function signedRequests(): readonly Buffer[] {
  return Array.from({ length: REQUESTS }, () => {
    const nonce = `${Math.floor(Date.now() / 1000)}.${(sent += 1)}`
    const signature = signOneTouch({ apiKey, nonce, method: 'POST', url: callbackUrl, rawBody: body })
    const lines = [
      'POST /authy/callback HTTP/1.1',
      'Host: app.example.com',
      'Content-Type: application/json',
      'User-Agent: Authy API',
      'Accept-Encoding: gzip',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Authy-Signature: ${signature}`,
      `X-Authy-Signature-Nonce: ${nonce}`,
    ]
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
  })
}

async function connection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  await once(socket, 'connect')
  return socket
}

function sendShare(socket: Socket, waiting: Iterator<Buffer>): Promise<void> {
  return new Promise((resolve, reject) => {
    const sendNext = (): void => {
      const next = waiting.next()
      if (next.done !== true) {
        socket.write(next.value)
        return
      }
      socket.off('data', onAnswer)
      resolve()
    }
    const onAnswer = (answer: Buffer): void => {
      if (answer.toString('latin1', 0, 12) === 'HTTP/1.1 200') sendNext()
      else reject(new Error(`the route answered ${answer.toString('latin1', 0, 12)}`))
    }
    socket.on('data', onAnswer)
    sendNext()
  })
}

export const routeOverhead: Figure = {
  name: 'onetouch-route-overhead',
  what: 'how much more processor time a OneTouch callback takes than a POST of the same bytes to a bare express.json() route',
  unit: '%',
  atMost: 15,
  measure,
}

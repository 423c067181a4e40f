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
const REQUESTS = 800

// A captured callback, but for the end of its request, which would be over.
const body = postVectors(['captured-post-approved-no-details'])
  .map(({ rawBody }) => rawBody.replace(/("expiration_timestamp":)[0-9]+/, '$14102444800'))
  .join('')

async function measure(): Promise<Measured> {
  const server = fork(new URL('route-server.ts', import.meta.url), { env: { ...process.env, apiKey, callbackUrl } })
  const sockets: Socket[] = []
  try {
    const [ours = 0, bare = 0] = await numbersFrom(server)
    const toOurs = await connections(ours, sockets)
    const toBare = await connections(bare, sockets)
    let requests: readonly Buffer[] = []
    const quotients = await pairs(
      () => sendAll(toOurs, requests),
      () => sendAll(toBare, requests),
      // The same bytes go to both.
      { pairs: 121, times: 1, warmUp: 15, prepare: () => (requests = signedRequests()), clock: () => clockOf(server) },
    )
    return summary(quotients.map((quotient) => (quotient - 1) * 100))
  } finally {
    for (const socket of sockets) socket.destroy()
    server.disconnect()
  }
}

/** The processor time of the server: a client that is slower than it would hide the difference. */
async function clockOf(server: ChildProcess): Promise<number> {
  server.send('time')
  const [milliseconds = 0] = await numbersFrom(server)
  return milliseconds
}

async function numbersFrom(server: ChildProcess): Promise<readonly number[]> {
  const [message] = z
    .tuple([z.array(z.number())])
    .rest(z.unknown())
    .parse(await once(server, 'message'))
  return message
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

async function connections(port: number, opened: Socket[]): Promise<readonly Socket[]> {
  return Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const socket = connect(port, '127.0.0.1').setNoDelay(true)
      opened.push(socket)
      await once(socket, 'connect')
      return socket
    }),
  )
}

/** Each connection sends its share, one request after the answer to the other. */
async function sendAll(sockets: readonly Socket[], requests: readonly Buffer[]): Promise<void> {
  const waiting = requests.values()
  await Promise.all(sockets.map((socket) => sendShare(socket, waiting)))
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
  what: 'how much longer a OneTouch callback takes than a POST of the same bytes to a bare express.json() route of the same process',
  unit: '%',
  atMost: 15,
  measure,
}

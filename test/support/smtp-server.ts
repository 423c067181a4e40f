import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** How a mail server behaves. */
export type SmtpManner =
  'takes' | 'rejects-recipients' | 'rejects-sender' | 'wants-login' | 'is-busy' | 'hangs' | 'breaks-off'

export interface SmtpServer {
  readonly port: number
  manner: SmtpManner
  /** The mails that it took, as they came over the wire. */
  readonly mails: string[]
  /** How often somebody connected. */
  connections: number
}

/** A mail server of the test's own on loopback: as much of RFC 5321 as a client needs. Ends with the test. */
export async function startSmtpServer(manner: SmtpManner = 'takes'): Promise<SmtpServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    state.connections += 1
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    serve(socket, state)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const state = {
    manner,
    mails: [] as string[],
    connections: 0,
    port: typeof address === 'object' && address ? address.port : 0,
  }
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return state
}

function serve(socket: Socket, state: SmtpServer): void {
  const { manner } = state
  if (manner === 'hangs') return
  socket.write(manner === 'is-busy' ? '421 too busy\r\n' : '220 test ESMTP\r\n')
  let buffer = ''
  let isData = false
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    buffer += chunk
    for (;;) {
      const end = isData ? buffer.indexOf('\r\n.\r\n') : buffer.indexOf('\r\n')
      if (end < 0) return
      const part = buffer.slice(0, end)
      buffer = buffer.slice(end + (isData ? 5 : 2))
      if (isData) {
        isData = false
        if (manner === 'breaks-off') return void socket.destroy()
        state.mails.push(part)
        socket.write('250 taken\r\n')
        continue
      }
      const verb = part.slice(0, 4).toUpperCase()
      isData = verb === 'DATA'
      socket.write(`${replyTo(verb, manner)}\r\n`)
    }
  })
}

function replyTo(verb: string, manner: SmtpManner): string {
  if (verb === 'EHLO') return '250 test'
  if (verb === 'MAIL' && manner === 'rejects-sender') return '553 not from you'
  if (verb === 'MAIL' && manner === 'wants-login') return '530 log in first'
  if (verb === 'RCPT' && manner === 'rejects-recipients') return '550 no such user here'
  return verb === 'DATA' ? '354 go on' : '250 fine'
}

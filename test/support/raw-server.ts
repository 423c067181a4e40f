import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A TCP server that answers each HTTP request with whatever bytes the test likes, or with none. */
export interface RawServer {
  readonly url: string
  readonly port: number
  /** Heads of the requests received so far. */
  readonly requests: string[]
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>
  close(): Promise<void>
}

export type RawHandler = (socket: Socket, request: string, index: number) => void

/** Starts one on a free loopback port. The handler is called once for each request head. */
export async function startRawServer(handler: RawHandler): Promise<RawServer> {
  const sockets = new Set<Socket>()
  const requests: string[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    let received = ''
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
      const end = received.indexOf('\r\n\r\n')
      if (end < 0) return
      requests.push(received)
      received = ''
      handler(socket, requests.at(-1)!, requests.length - 1)
    })
  })
  await listen(server)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A complete HTTP answer as bytes. */
export function httpAnswer(status: number, headers: Readonly<Record<string, string>>, body = ''): string {
  const lines = Object.entries({ 'content-length': String(Buffer.byteLength(body)), ...headers })
  return `HTTP/1.1 ${status} X\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}

/** A complete HTTP answer whose body is JSON. */
export function jsonAnswer(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): string {
  return httpAnswer(status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value))
}

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
}

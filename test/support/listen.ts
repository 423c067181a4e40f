import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server on loopback. */
export interface Listening {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string
  readonly port: number
  readonly server: Server
  /** Ends every connection and stops listening. */
  close(): Promise<void>
}

/** Serves an Express app (or any request listener) on a free loopback port. */
export async function listen(app: RequestListener, port = 0): Promise<Listening> {
  return listening(createServer(app), port)
}

/** Makes any server of `node:http` or `node:https` listen on a free loopback port. */
export async function listening(server: Server, port = 0, protocol = 'http'): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address() as AddressInfo
  return {
    url: `${protocol}://127.0.0.1:${address.port}`,
    port: address.port,
    server,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions as TlsOptions } from 'node:https'
import { SandboxError } from '../errors.js'
import type { Logger } from '../runtime.js'
import type { SandboxClock } from './clock.js'
import { after, before, disappear, type ErrorReply, write } from './fault-effects.js'
import type { Faults } from './faults.js'
import { readRequest, type SandboxHandler, type SandboxRequest } from './http-message.js'

export interface ListenOptions {
  /** Whose listener this is, for faults and the log. */
  readonly provider: string
  /** 0 picks a free one. */
  readonly port: number
  readonly handler: SandboxHandler
  /** The provider's real body for an error: for faults, and for what goes wrong in the stand-in itself. */
  readonly errorReply: ErrorReply
  readonly clock: SandboxClock
  readonly faults: Faults
  readonly logger: Logger
  /** Given: https, with these options of Node's. */
  readonly tls?: TlsOptions
  /** Takes requests that announce a length and come in chunks all the same. */
  readonly lenient?: boolean
}

export interface Listening {
  readonly port: number
  /** `http://127.0.0.1:port`, or https. Without a trailing slash. */
  readonly url: string
  /** Ends all connections at once, whatever they are doing. */
  close(): Promise<void>
}

// Some official clients keep one connection for all their life and can't open it anew: a person may well take their
// time on the phone between two calls. Node would end it after 5 s.
const IDLE_CONNECTION_MS = 600_000

/** Serves one stand-in on 127.0.0.1, and nowhere else. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const closing = new AbortController()
  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void =>
    void serve(options, incoming, response, closing.signal)
  const parsing = { insecureHTTPParser: options.lenient === true }
  const server: Server = options.tls
    ? createTlsServer({ ...options.tls, ...parsing }, onRequest)
    : createServer(parsing, onRequest)
  server.keepAliveTimeout = IDLE_CONNECTION_MS
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new SandboxError('conflict', `the sandbox can't listen on port ${options.port}: ${cause.message}`, { cause }),
      ),
    )
    server.listen(options.port, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  return {
    port,
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    close: async () => {
      closing.abort(new SandboxError('closed', 'the sandbox is closing'))
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

async function serve(
  options: ListenOptions,
  incoming: IncomingMessage,
  response: ServerResponse,
  closing: AbortSignal,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort(new SandboxError('closed', 'the caller is gone')))
  // A caller that breaks off is its own affair: without a listener the error would end the process.
  incoming.on('error', () => gone.abort())
  const request = readRequest(incoming, AbortSignal.any([gone.signal, closing]))
  try {
    await answer(options, request, response)
  } catch (error) {
    if (request.signal.aborted) return void incoming.socket.destroy()
    options.logger.error({ provider: options.provider, error }, 'the sandbox failed while it answered a request')
    if (response.headersSent) return void incoming.socket.destroy()
    await write(response, options.errorReply(500), [], request, options.clock)
  }
}

async function answer(options: ListenOptions, request: SandboxRequest, response: ServerResponse): Promise<void> {
  const faults = options.faults.takeForRequest(options.provider, request.method, request.path)
  const reply = (await before(faults, request, options)) ?? after(faults, await options.handler(request))
  if ('silence' in reply) disappear(reply.silence, request)
  else await write(response, reply, faults, request, options.clock)
  // Whatever of the body nobody read must not be taken for the next request.
  if (!request.incoming.complete) request.incoming.resume()
}

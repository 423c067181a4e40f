import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

export interface Delivered {
  readonly status?: number
  readonly error?: string
}

/** Sends one callback as it is, follows nothing, and says what came back. */
export async function post(
  message: {
    readonly method: 'POST' | 'GET'
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  },
  timeoutMs: number,
  closing: AbortSignal,
): Promise<Delivered> {
  const start = message.url.toLowerCase().startsWith('https:') ? httpsRequest : httpRequest
  return new Promise<Delivered>((resolve) => {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(timeoutMs)])
    const outgoing = start(
      message.url,
      {
        method: message.method,
        headers: {
          ...message.headers,
          ...(message.method === 'POST' ? { 'Content-Length': String(Buffer.byteLength(message.body)) } : {}),
        },
        // A connection of its own: what one receiver breaks must not touch the next callback.
        agent: false,
        signal,
      },
      (response) => {
        response.resume()
        // Only the status counts; a body that never ends must not hold up the next attempt.
        resolve({ status: response.statusCode ?? 0 })
        response.on('error', () => undefined)
        response.on('end', () => outgoing.destroy())
      },
    )
    outgoing.on('error', (error) =>
      resolve({ error: signal.aborted && !closing.aborted ? `no answer within ${timeoutMs} ms` : error.message }),
    )
    outgoing.end(message.method === 'POST' ? message.body : undefined)
  })
}

import { ProviderProtocolError, ProviderTimeoutError, ProviderUnreachableError } from '../errors.js'
import type { FetchLike, FetchResponse, Runtime } from '../runtime.js'

/** A small request to a gateway. */
export interface OutboundRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** For the whole exchange. Default 5000. */
  readonly timeoutMs?: number
}

export interface OutboundReply {
  readonly status: number
  /** The body as JSON, or undefined if it is none. */
  readonly json: unknown
}

const MAX_REPLY_BYTES = 65_536

/**
 * Sends one POST and reads the whole reply: a deadline over everything, a cap on the reply's size, and no redirect is
 * followed (it would carry credentials along), so a 3xx is just a reply that is no success.
 *
 * @throws {@link ProviderTimeoutError}, {@link ProviderUnreachableError}, {@link ProviderProtocolError}
 */
export async function post(gateway: string, runtime: Runtime, request: OutboundRequest): Promise<OutboundReply> {
  const timeoutMs = request.timeoutMs ?? 5000
  const fetch = runtime.fetch ?? (await defaultFetch())
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(request.url, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      signal,
      redirect: 'manual',
    })
    return { status: response.status, json: parse(await readText(gateway, response)) }
  } catch (error) {
    if (error instanceof ProviderProtocolError) throw error
    if (signal.aborted) throw new ProviderTimeoutError(gateway, 'total', timeoutMs, { cause: error })
    throw new ProviderUnreachableError(gateway, reasonOf(error), { cause: error })
  }
}

async function defaultFetch(): Promise<FetchLike> {
  const { default: nodeFetch } = await import('node-fetch')
  return async (url, init) => {
    const { body, ...rest } = init
    const response = await nodeFetch(url, typeof body === 'string' ? { ...rest, body } : rest)
    return { status: response.status, headers: response.headers, body: response.body }
  }
}

async function readText(gateway: string, response: FetchResponse): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_REPLY_BYTES)
      throw new ProviderProtocolError(gateway, 'the reply is too large', { status: response.status })
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function reasonOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : 'NETWORK'
}

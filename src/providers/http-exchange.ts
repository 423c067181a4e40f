import { request as plainRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { SecureContext } from 'node:tls'
import { ApprovalError, ProviderProtocolError, ProviderTimeoutError, ProviderUnreachableError } from '../errors.js'
import type { FetchLike } from '../runtime.js'
import { guardedLookup, isPrivateAddress } from './http-address.js'
import { errorCode, safeCause } from './http-redact.js'

/**
 * One long transfer of a file. Where the transport's calls have a deadline for the whole, a transfer may take as long as
 * it moves: it is ended when nothing moved for a while. The body is written chunk by chunk, and the next one is asked
 * for only when the last one left for the network, so that the caller can use its buffers again.
 */
export interface Exchange {
  /** For errors. */
  readonly provider: string
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: { readonly chunks: AsyncIterable<Uint8Array>; readonly length: number | undefined } | undefined
  readonly connectTimeoutMs: number
  /** Longest time in which not one byte moves, in milliseconds. */
  readonly idleTimeoutMs: number
  /** Longest time from the last byte of the body to the first one of the answer: a server may scan the file meanwhile. */
  readonly answerTimeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Whether the name may lead to a private, link-local or loopback address. */
  readonly allowPrivate: boolean
  readonly context?: SecureContext | undefined
  /** Used instead of a connection of our own. */
  readonly fetch?: FetchLike | undefined
}

/** The answer, while it comes. Read `body` to its end or call `cancel`. */
export interface ExchangeAnswer {
  readonly status: number
  header(name: string): string | undefined
  readonly body: AsyncIterable<Uint8Array>
  cancel(): void
}

/**
 * Sends, and resolves with the head of the answer. An answer that comes before the body is through ends the sending.
 *
 * @throws {@link ProviderTimeoutError}, {@link ProviderUnreachableError}, the caller's own reason when it aborts, and
 * whatever the body's source throws.
 */
export async function exchange(input: Exchange): Promise<ExchangeAnswer> {
  const watch = new Watch(input)
  try {
    if (input.fetch) return await overFetch(input, input.fetch, watch)
    return await overSocket(input, watch)
  } catch (error) {
    watch.end()
    throw watch.translate(error)
  }
}

async function overSocket(input: Exchange, watch: Watch): Promise<ExchangeAnswer> {
  if (!input.allowPrivate && isPrivateAddress(input.url.hostname.replace(/^\[|\]$/g, '')))
    throw new ProviderUnreachableError(input.provider, 'PRIVATE_ADDRESS')
  const request = (input.url.protocol === 'https:' ? tlsRequest : plainRequest)(input.url, requestOptions(input))
  request.setNoDelay(true)
  const failed = new Promise<never>((_resolve, reject) => request.on('error', reject))
  const answered = new Promise<IncomingMessage>((resolve) => request.once('response', resolve))
  // Whoever waits at the time sees these failures; nobody else has to.
  failed.catch(() => undefined)
  watch.start((reason) => request.destroy(reason))
  request.once('socket', (socket) => {
    const open = input.url.protocol === 'https:' ? 'secureConnect' : 'connect'
    if (socket.connecting) socket.once(open, () => watch.moved('idle'))
    else watch.moved('idle')
  })
  try {
    const early = await Promise.race([pump(request, input, watch), failed])
    if (early === undefined) watch.moved('answer')
    const response = await Promise.race([answered, failed])
    watch.moved('idle')
    return {
      status: response.statusCode ?? 0,
      header: (name) => single(response.headers[name]),
      body: readOn(response, request, watch),
      cancel: () => {
        watch.end()
        request.destroy()
      },
    }
  } catch (error) {
    request.destroy()
    throw error
  }
}

function requestOptions(input: Exchange): RequestOptions {
  const length = input.body?.length
  return {
    method: input.method,
    headers: { ...input.headers, ...(length !== undefined && { 'content-length': String(length) }) },
    // A connection of its own: one that a server is about to close must not take a stream with it that can't be read again.
    agent: false,
    ...(!input.allowPrivate && { lookup: guardedLookup }),
    ...(input.url.protocol === 'https:' && {
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      ...(input.context && { secureContext: input.context }),
    }),
  }
}

/** Writes the body. Gives `'early'` when the answer came before its end. */
async function pump(request: ClientRequest, input: Exchange, watch: Watch): Promise<'early' | undefined> {
  if (!input.body) {
    request.end()
    return undefined
  }
  const waiter = { early: false, resolve: (): void => undefined, reject: (_error: Error): void => undefined }
  request.once('response', () => {
    waiter.early = true
    waiter.resolve()
  })
  request.on('error', (error) => waiter.reject(error))
  for await (const chunk of watch.source(input.body.chunks)) {
    // One promise a chunk, and none that outlives it: racing against a long one would keep something of every chunk.
    await new Promise<void>((resolve, reject) => {
      Object.assign(waiter, { resolve, reject })
      request.write(chunk, (error) => (error ? reject(error) : resolve()))
    })
    if (waiter.early) return 'early'
    watch.moved('idle')
  }
  request.end()
  return undefined
}

async function* readOn(response: IncomingMessage, request: ClientRequest, watch: Watch): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) {
      watch.moved('idle')
      yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    }
    if (!response.complete) throw Object.assign(new Error('incomplete'), { code: 'ECONNRESET' })
  } catch (error) {
    throw watch.translate(error)
  } finally {
    watch.end()
    request.destroy()
  }
}

async function overFetch(input: Exchange, fetch: FetchLike, watch: Watch): Promise<ExchangeAnswer> {
  const controller = new AbortController()
  watch.start((reason) => controller.abort(reason))
  watch.moved('idle')
  const length = input.body?.length
  const response = await fetch(input.url.href, {
    method: input.method,
    headers: { ...input.headers, ...(length !== undefined && { 'content-length': String(length) }) },
    ...(input.body && { body: watched(input.body.chunks, watch) }),
    signal: controller.signal,
    redirect: 'manual',
  })
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: readFetched(response.body, watch),
    cancel: () => {
      watch.end()
      controller.abort()
    },
  }
}

async function* watched(chunks: AsyncIterable<Uint8Array>, watch: Watch): AsyncGenerator<Uint8Array> {
  for await (const chunk of watch.source(chunks)) {
    watch.moved('idle')
    yield chunk
  }
  watch.moved('answer')
}

async function* readFetched(body: AsyncIterable<Uint8Array | string> | null, watch: Watch): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body ?? []) {
      watch.moved('idle')
      yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    }
  } catch (error) {
    throw watch.translate(error)
  } finally {
    watch.end()
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0]
}

type Phase = 'connect' | 'idle' | 'answer'

/** Ends a transfer that stands still, or whose caller aborts. Real timers: a test's instant sleep must not end every transfer. */
class Watch {
  readonly #input: Exchange
  #timer: NodeJS.Timeout | undefined
  #phase: Phase | undefined
  #expired = false
  #sourceFailure: { readonly error: unknown } | undefined
  #destroy: (reason: Error) => void = () => undefined
  readonly #onAbort = (): void => this.#destroy(new Error('aborted'))

  constructor(input: Exchange) {
    input.signal?.throwIfAborted()
    this.#input = input
  }

  start(destroy: (reason: Error) => void): void {
    this.#destroy = destroy
    this.#input.signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.moved('connect')
  }

  /** Something moved; from now on this phase's time counts. */
  moved(phase: Phase): void {
    if (phase === this.#phase) {
      this.#timer?.refresh()
      return
    }
    clearTimeout(this.#timer)
    this.#phase = phase
    this.#timer = setTimeout(() => {
      this.#expired = true
      this.#destroy(new Error('timed out'))
    }, this.#milliseconds(phase))
  }

  /** The body, with a note of what its own source fails with: that is not the network's failure. */
  async *source(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks
    } catch (error) {
      this.#sourceFailure = { error }
      throw error
    }
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#input.signal?.removeEventListener('abort', this.#onAbort)
  }

  /** What ended the transfer, in our own words. */
  translate(error: unknown): unknown {
    const { provider, signal } = this.#input
    if (this.#expired && this.#phase) {
      const phase = this.#phase === 'answer' ? 'total' : this.#phase
      return new ProviderTimeoutError(provider, phase, this.#milliseconds(this.#phase))
    }
    if (signal?.aborted) return signal.reason
    if (this.#sourceFailure) return this.#sourceFailure.error
    if (error instanceof ApprovalError) return error
    const code = errorCode(error)
    const cause = safeCause(error)
    if (code?.startsWith('HPE_')) return new ProviderProtocolError(provider, 'the answer is not HTTP', { cause })
    return new ProviderUnreachableError(provider, code ?? 'NETWORK', { cause })
  }

  #milliseconds(phase: Phase): number {
    const { connectTimeoutMs, idleTimeoutMs, answerTimeoutMs } = this.#input
    return { connect: connectTimeoutMs, idle: idleTimeoutMs, answer: answerTimeoutMs }[phase]
  }
}

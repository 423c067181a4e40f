import { InvalidInputError, ProviderProtocolError } from '../errors.js'
import type { FetchInit, FetchResponse } from '../runtime.js'
import type { Deadline } from './http-deadline.js'
import { lowerCase, type TransportSettings } from './http-options.js'
import type { HttpHeaders, HttpRequest, HttpStreamBody } from './http-types.js'

/** Remembers what a stream of the caller failed with: that error is the caller's, not the network's. */
export class UploadSource {
  #failure: Error | undefined

  /** The error of the caller's stream, if that is what ended the call. */
  get failure(): Error | undefined {
    return this.#failure
  }

  async *read({ stream, contentLength }: HttpStreamBody): AsyncGenerator<Uint8Array> {
    let sent = 0
    try {
      for await (const chunk of stream) {
        sent += chunk.byteLength
        if (contentLength !== undefined && sent > contentLength)
          throw new InvalidInputError('body', 'the stream gave more bytes than its contentLength')
        yield chunk
      }
      if (contentLength !== undefined && sent < contentLength)
        throw new InvalidInputError('body', 'the stream gave fewer bytes than its contentLength')
    } catch (error) {
      this.#failure =
        error instanceof Error ? error : new InvalidInputError('body', 'the stream failed', { cause: error })
      throw this.#failure
    }
  }
}

/** An answer of which the head is there. */
export interface OpenAnswer extends FetchResponse {
  /** Lets go of the connection, whether or not the body was begun. (An iterator that never began would ignore its `return`.) */
  readonly abandon: () => void
}

/** Sends one request and resolves when the head of the answer is there, and is one that may be read on. */
export async function send(
  settings: TransportSettings,
  request: HttpRequest,
  target: { readonly url: string; readonly maxBytes: number },
  deadline: Deadline,
  source: UploadSource,
): Promise<OpenAnswer> {
  const attempt = deadline.attempt()
  const init: FetchInit = {
    method: request.method,
    headers: await buildHeaders(settings, request, target.url),
    ...bodyOf(request, source),
    signal: attempt.signal,
    redirect: 'manual',
  }
  try {
    // node-fetch destroys the body of a call that is aborted already, and nobody listens: an uncaught exception.
    attempt.signal.throwIfAborted()
    const response = await deadline.within(settings.fetch(target.url, init))
    refuseUnusable(settings.provider, response, target.maxBytes)
    // Named one by one: a Response's own are getters of its class, which a spread would lose.
    return { status: response.status, headers: response.headers, body: response.body, abandon: attempt.abandon }
  } catch (error) {
    attempt.abandon()
    throw error
  }
}

function refuseUnusable(provider: string, { status, headers }: FetchResponse, maxBytes: number): void {
  const refuse = (why: string): ProviderProtocolError => new ProviderProtocolError(provider, why, { status })
  // The target would get the key and whatever the body holds.
  if (status >= 300 && status < 400) throw refuse('the answer is a redirect, which is not followed')
  if (!Number.isInteger(status) || status < 200 || status > 599) throw refuse('the answer has no valid HTTP status')
  if (Number(headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(provider, status, maxBytes)
}

/** Reads a body to its end, in pieces: not beyond the deadline, not beyond the limit, and not less than was announced. */
export async function* readBody(
  provider: string,
  { status, headers, body, abandon }: OpenAnswer,
  maxBytes: number,
  deadline: Deadline,
): AsyncGenerator<Uint8Array> {
  let size = 0
  let ended = body === null
  const iterator = body?.[Symbol.asyncIterator]()
  try {
    while (iterator) {
      const next = await deadline.within(iterator.next())
      if (next.done) break
      const chunk = typeof next.value === 'string' ? Buffer.from(next.value) : next.value
      size += chunk.byteLength
      if (size > maxBytes) throw tooLarge(provider, status, maxBytes)
      yield chunk
    }
    ended = true
    const announced = headers.get('content-encoding') === null ? headers.get('content-length') : null
    if (announced !== null && Number(announced) !== size)
      throw new ProviderProtocolError(provider, 'the answer is shorter than announced', { status })
  } finally {
    if (!ended) abandon()
  }
}

function tooLarge(provider: string, status: number, maxBytes: number): ProviderProtocolError {
  return new ProviderProtocolError(provider, `the answer is larger than ${maxBytes} bytes`, { status })
}

async function buildHeaders(settings: TransportSettings, request: HttpRequest, url: string): Promise<HttpHeaders> {
  const own =
    typeof request.headers === 'function' ? await request.headers({ url, method: request.method }) : request.headers
  const length = isStream(request.body) ? request.body.contentLength : undefined
  const headers = {
    accept: 'application/json',
    'user-agent': 'passport-outofband',
    ...(request.json !== undefined && { 'content-type': 'application/json' }),
    ...(length !== undefined && { 'content-length': String(length) }),
    // A key for one host is nobody else's business.
    ...(new URL(url).origin === settings.origin && settings.headers),
    ...lowerCase(own ?? {}),
  }
  for (const [name, value] of Object.entries(headers))
    if (!/^[\t\x20-\x7e]*$/.test(value)) throw new InvalidInputError(name, `the header ${name} can't hold this value`)
  return headers
}

function bodyOf(request: HttpRequest, source: UploadSource): Pick<FetchInit, 'body'> {
  if (request.json !== undefined) return { body: JSON.stringify(request.json) }
  if (request.body === undefined) return {}
  return { body: isStream(request.body) ? source.read(request.body) : request.body }
}

/** Whether a body is one that can be sent only once. */
export function isStream(body: HttpRequest['body']): body is HttpStreamBody {
  return typeof body === 'object' && !(body instanceof Uint8Array)
}

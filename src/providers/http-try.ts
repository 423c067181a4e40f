import { InvalidInputError, ProviderRateLimitedError, ProviderTimeoutError } from '../errors.js'
import type { Permit } from './http-breaker.js'
import type { Deadline } from './http-deadline.js'
import { callError } from './http-errors.js'
import type { TransportSettings } from './http-options.js'
import { HttpResponse } from './http-response.js'
import { retryAfterMs } from './http-retry.js'
import { isStream, readBody, send, UploadSource, type OpenAnswer } from './http-send.js'
import type { HttpRequest, ProviderComplaint } from './http-types.js'

/** What stays the same over all tries of a call. */
export interface CallContext {
  readonly settings: TransportSettings
  readonly request: HttpRequest
  readonly url: string
  readonly maxBytes: number
  readonly timeoutMs: number
  readonly deadline: Deadline
  /** Told as soon as the head of an answer is there. */
  readonly onStatus: (status: number) => void
}

/** How one try ended, if it got an answer. */
export interface Answer<T> {
  readonly value: T
  /** A server error without a code of the provider's own: a gateway, an outage. Another try may do better. */
  readonly outage: boolean
}

/** Sends the request once, and settles the permit with what became of it. */
export async function tryOnce<T>(
  context: CallContext,
  permit: Permit,
  use: (response: OpenAnswer) => T | Promise<T>,
): Promise<Answer<T>> {
  const { settings, deadline, request } = context
  const source = new UploadSource()
  try {
    const response = await send(settings, request, { url: context.url, maxBytes: context.maxBytes }, deadline, source)
    context.onStatus(response.status)
    const { usable, outage } = await judge(context, response)
    const value = await use(usable)
    if (outage) permit.failed()
    else permit.succeeded()
    return { value, outage }
  } catch (error) {
    if (deadline.callerAborted || source.failure) {
      permit.abandoned()
      deadline.throwIfCallerAborted()
    }
    if (source.failure) throw source.failure
    const { provider, connectTimeoutMs } = settings
    const translated = callError(error, { ...context, provider, connectTimeoutMs })
    if (saysNothing(request, translated)) permit.abandoned()
    else permit.failed()
    throw translated
  }
}

/** Takes a troubled answer whole, to see whether it is the provider that speaks or something in front of it. */
async function judge(context: CallContext, response: OpenAnswer): Promise<{ usable: OpenAnswer; outage: boolean }> {
  const { status, headers } = response
  if (status !== 429 && status < 500) return { usable: response, outage: false }
  const { provider, runtime } = context.settings
  const whole = await buffer(context, response)
  const { code } = complaintOf(context.settings, whole)
  const providerCode = whole.quote(code)
  const waitMs = retryAfterMs(headers.get('retry-after'), runtime.now())
  if (status === 429 || (status === 503 && waitMs !== undefined))
    throw new ProviderRateLimitedError(provider, { status, providerCode, retryAfterMs: waitMs })
  return { usable: { ...response, body: once(whole.bytes) }, outage: providerCode === undefined }
}

/** Reads an answer to its end. */
export async function buffer(context: CallContext, response: OpenAnswer): Promise<HttpResponse> {
  return complete(context, response, readBody(context.settings.provider, response, context.maxBytes, context.deadline))
}

/** The head and the pieces of an answer, as one. */
export async function complete(
  { settings, request }: CallContext,
  head: Pick<OpenAnswer, 'status' | 'headers'>,
  pieces: AsyncIterable<Uint8Array>,
): Promise<HttpResponse> {
  const secrets = [...settings.secrets, ...(request.secrets ?? [])]
  return new HttpResponse({ provider: settings.provider, secrets }, head, await collect(pieces))
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of pieces) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** What the provider says of its refusal; nothing if that can't be read. */
export function complaintOf(settings: TransportSettings, response: HttpResponse): ProviderComplaint {
  try {
    return settings.describeError(response) ?? {}
  } catch {
    return {}
  }
}

// A file that a browser drips, or a push that is limited for one user, must not close the provider to everybody.
function saysNothing(request: HttpRequest, error: Error): boolean {
  if (error instanceof ProviderRateLimitedError || error instanceof InvalidInputError) return true
  return isStream(request.body) && error instanceof ProviderTimeoutError && error.phase === 'total'
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

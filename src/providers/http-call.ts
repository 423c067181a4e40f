import { InvalidInputError, ProviderRateLimitedError, ProviderUnreachableError } from '../errors.js'
import { Deadline } from './http-deadline.js'
import { callError, isTransient } from './http-errors.js'
import { CallObserver } from './http-observe.js'
import { isSafeScheme, type TransportSettings } from './http-options.js'
import { assertEncodedPath, encodeQuery } from './http-path.js'
import type { HttpResponse, HttpStream } from './http-response.js'
import { pauseMs } from './http-retry.js'
import { isStream, readBody, type OpenAnswer } from './http-send.js'
import { buffer, complete, tryOnce, type CallContext } from './http-try.js'
import type { HttpRequest } from './http-types.js'

/** One call: its tries, its deadline, its end. */
export class Call {
  readonly #context: CallContext
  readonly #observer: CallObserver

  /** Throws the caller's reason if it has aborted already. */
  constructor(settings: TransportSettings, request: HttpRequest) {
    const url = targetUrl(settings, request)
    const timeoutMs = request.timeoutMs ?? settings.timeoutMs
    const observer = new CallObserver(settings, request)
    this.#observer = observer
    this.#context = {
      settings,
      request,
      url,
      timeoutMs,
      maxBytes: request.maxResponseBytes ?? settings.maxResponseBytes,
      deadline: new Deadline(request.signal, timeoutMs),
      onStatus: (status) => {
        observer.status = status
      },
    }
  }

  /** Sends, and takes the whole answer. */
  async read(): Promise<HttpResponse> {
    try {
      const response = await this.#repeat((answer) => buffer(this.#context, answer))
      this.#end()
      return response
    } catch (error) {
      this.#end(error)
      throw error
    }
  }

  /** Sends, and hands over the answer while it comes. */
  async open(): Promise<HttpStream> {
    try {
      return await this.#repeat((answer) => this.#handOver(answer))
    } catch (error) {
      this.#end(error)
      throw error
    }
  }

  async #repeat<T>(use: (answer: OpenAnswer) => T | Promise<T>): Promise<T> {
    const { breaker, budget, provider } = this.#context.settings
    budget.earn()
    let last: Error | undefined
    for (;;) {
      const permit = breaker.enter()
      if (!permit) throw last ?? new ProviderUnreachableError(provider, 'CIRCUIT_OPEN')
      this.#observer.tries += 1
      try {
        const answer = await tryOnce(this.#context, permit, use)
        if (!answer.outage || !(await this.#pause(undefined))) return answer.value
      } catch (error) {
        if (!(error instanceof Error) || !(await this.#pause(error))) throw error
        last = error
      }
    }
  }

  /** Waits before another try. False if there is to be none. */
  async #pause(error: Error | undefined): Promise<boolean> {
    const { request, settings, deadline } = this.#context
    const { tries } = this.#observer
    if (request.repeatable !== true || isStream(request.body) || tries > settings.retries) return false
    const asked = error instanceof ProviderRateLimitedError ? error.retryAfterMs : undefined
    if (error && asked === undefined && !isTransient(error)) return false
    const waitMs = Math.max(pauseMs(tries, settings.runtime), asked ?? 0)
    if (waitMs >= deadline.remainingMs || !settings.budget.spend()) return false
    this.#observer.repeating(waitMs, error)
    try {
      await deadline.within(settings.runtime.sleep(waitMs, deadline.signal))
    } catch (reason) {
      throw this.#translate(reason)
    }
    return true
  }

  #handOver(answer: OpenAnswer): HttpStream {
    const { settings, deadline, maxBytes } = this.#context
    const body = this.#pieces(readBody(settings.provider, answer, maxBytes, deadline))
    // A stream that nobody reads ends here.
    deadline.signal.addEventListener('abort', () => this.#end(new Error('abandoned')), { once: true })
    return {
      status: answer.status,
      headers: answer.headers,
      body,
      read: () => complete(this.#context, answer, body),
      cancel: () => deadline.cancel(),
    }
  }

  async *#pieces(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body
      this.#end()
    } catch (error) {
      const translated = this.#translate(error)
      this.#end(translated)
      throw translated
    } finally {
      this.#context.deadline.cancel()
    }
  }

  #translate(error: unknown): Error {
    const { settings } = this.#context
    const { provider, connectTimeoutMs } = settings
    return callError(error, { ...this.#context, provider, connectTimeoutMs })
  }

  #end(error?: unknown): void {
    this.#context.deadline.end()
    this.#observer.end(error)
  }
}

function targetUrl(settings: TransportSettings, request: HttpRequest): string {
  const query = encodeQuery(request.query)
  // As the parser writes it (an apostrophe in a query becomes %27): that is what is sent, and what a signature has to cover.
  if (request.url === undefined) return new URL(pathUrl(settings, request.path ?? '') + query).href
  if (!URL.canParse(request.url)) throw new InvalidInputError('url', 'the URL is not an absolute one')
  const url = new URL(request.url)
  if (!isSafeScheme(url) || url.username || url.password || url.hash)
    throw new InvalidInputError(
      'url',
      'the URL must be https: (or http: on loopback), without credentials and fragment',
    )
  return new URL(query === '' ? url : url.href + (url.search === '' ? query : `&${query.slice(1)}`)).href
}

function pathUrl(settings: TransportSettings, path: string): string {
  assertEncodedPath(path)
  return settings.baseUrl + path
}

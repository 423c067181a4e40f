import { inspect } from 'node:util'
import { ProviderProtocolError, ProviderRejectedError, ProviderUnreachableError } from '../errors.js'
import { Call } from './http-call.js'
import { transportSettings, type HttpTransportOptions, type TransportSettings } from './http-options.js'
import type { HttpResponse, HttpStream } from './http-response.js'
import { complaintOf } from './http-try.js'
import type { HttpRequest } from './http-types.js'

export { transportOptionShape, type HttpTransportOptions } from './http-options.js'
export { encodePath, encodeQuery, encodeSegment, type SegmentRules } from './http-path.js'
export { HttpResponse, type HttpStream } from './http-response.js'
export { tlsOption, type PemInput, type TlsOptions } from './http-tls.js'
export type {
  HttpHeaders,
  HttpQuery,
  HttpRequest,
  HttpStreamBody,
  ProviderCallEvent,
  ProviderComplaint,
} from './http-types.js'

/**
 * The one way to a provider: node-fetch with deadlines, limits, keep-alive and errors of this package.
 *
 * Every call ends within its deadline, also while the answer's body drips. Redirects are never followed. Only what is
 * marked `repeatable` is sent again, after a lost connection, a 5xx without the provider's own code, or a short
 * `Retry-After`. After five failures in a row calls are refused at once for five seconds.
 *
 * Errors of a call: `ProviderTimeoutError`, `ProviderUnreachableError` (also: circuit open), `ProviderProtocolError` (redirect, too large,
 * broken), `ProviderRateLimitedError` (429, or 503 with `Retry-After`), `InvalidInputError` (nothing was sent), or the reason of the caller's own signal.
 * Other statuses are answers: see {@link HttpTransport.refusal}.
 */
export class HttpTransport {
  readonly #settings: TransportSettings

  /**
   * @param owner - whose options these are, for messages: `AuthyClient`.
   * @throws {@link InvalidOptionError}
   */
  constructor(options: HttpTransportOptions, owner = 'HttpTransport') {
    this.#settings = transportSettings(options, owner)
  }

  /** Sends a request and resolves with the complete answer, whatever its status (but see the errors above). */
  async request(request: HttpRequest): Promise<HttpResponse> {
    return new Call(this.#settings, request).read()
  }

  /** Sends a request and resolves when the head of the answer is there; the body follows as a stream, under the same deadline. */
  async stream(request: HttpRequest): Promise<HttpStream> {
    return new Call(this.#settings, request).open()
  }

  /**
   * The error for an answer that is no success: `ProviderRejectedError` with the provider's own code and sentence, or
   * `ProviderUnreachableError` for a 5xx that has no such code, because that is something in front of the provider, or an outage.
   */
  refusal(response: HttpResponse, secrets: readonly string[] = []): ProviderRejectedError | ProviderUnreachableError {
    const { provider } = this.#settings
    const { code, message } = complaintOf(this.#settings, response)
    if (response.status >= 500 && code === undefined)
      return new ProviderUnreachableError(provider, `HTTP_${response.status}`)
    return new ProviderRejectedError(provider, {
      status: response.status,
      providerCode: response.quote(code, secrets),
      providerMessage: response.quote(message, secrets),
    })
  }

  /** The error for an answer that isn't the documented one. `what` names the field, never its value. */
  protocolError(what: string, status?: number): ProviderProtocolError {
    return new ProviderProtocolError(this.#settings.provider, what, status === undefined ? {} : { status })
  }

  /** Closes the connections. Calls that are under way fail. */
  close(): void {
    this.#settings.close()
  }

  toJSON(): object {
    return { provider: this.#settings.provider, baseUrl: this.#settings.baseUrl }
  }

  [inspect.custom](): string {
    return `HttpTransport ${inspect(this.toJSON())}`
  }
}

import { InvalidOptionError, ProviderProtocolError, ProviderRejectedError } from '../../errors.js'
import { resolveRuntime, type Runtime } from '../../runtime.js'
import { HttpTransport, type HttpRequest, type HttpResponse } from '../http.js'
import type { z } from 'zod'
import type { clientOptions } from './client-options.js'
import { ACTIVECONNECT_BASE_URL } from './client-options.js'
import { signActiveconnectRequest } from './signing.js'
import { resolveKnobs, secretBytes, type ResolvedKnobs } from './signing-knobs.js'

const MAX_SKEW_MS = 300_000

/** @internal Who signs a request: the application, or a session. */
export interface Signer {
  readonly clientId: string
  readonly secret: string
}

/** @internal The way to the service: every request is signed anew, with its own nonce and time, also when it is repeated. */
export class Gateway {
  readonly #application: Signer
  readonly #knobs: ResolvedKnobs
  readonly #transport: HttpTransport
  readonly #origins: ReadonlySet<string>
  readonly #runtime: Runtime

  constructor(options: z.output<typeof clientOptions>, owner: string) {
    const { applicationId, applicationSecret, allowedOrigins, ca, runtime, logger } = options
    const baseUrl = options.baseUrl ?? ACTIVECONNECT_BASE_URL
    this.#application = { clientId: applicationId, secret: applicationSecret }
    this.#knobs = resolveKnobs(options)
    secretBytes(applicationSecret, this.#knobs, 'applicationSecret')
    this.#runtime = resolveRuntime(runtime)
    this.#transport = new HttpTransport(
      {
        provider: 'activeconnect',
        baseUrl,
        timeoutMs: options.timeoutMs ?? 30_000,
        // A fetch of the caller's own has its own connecting.
        ...(runtime?.fetch ? {} : { connectTimeoutMs: options.connectTimeoutMs ?? 10_000 }),
        maxResponseBytes: options.maxResponseBytes,
        ...(ca !== undefined && { tls: { ca } }),
        secrets: [applicationSecret],
        describeError: describe,
        runtime,
        logger,
      },
      owner,
    )
    if (runtime?.fetch && options.connectTimeoutMs !== undefined) {
      throw new InvalidOptionError(
        'connectTimeoutMs',
        `${owner}: connectTimeoutMs has no effect on a runtime.fetch of your own`,
      )
    }
    this.#origins = new Set([new URL(baseUrl).origin, ...allowedOrigins])
  }

  /** A call with the application's credential. */
  async application(request: HttpRequest): Promise<HttpResponse> {
    return this.#send(request, this.#application)
  }

  /** A call with a session's credential, to a URL that the service gave. */
  async session(request: HttpRequest & { readonly url: string }, signer: Signer): Promise<HttpResponse> {
    this.assertOwnUrl(request.url)
    return this.#send(request, signer)
  }

  /**
   * Refuses a URL on a foreign origin. It is about to receive a signature, and its answer would be believed: whoever can
   * make us ask another server decides who is logged in.
   */
  assertOwnUrl(url: string): void {
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    if (!parsed || !this.#origins.has(parsed.origin) || parsed.username || parsed.password || parsed.hash) {
      throw new ProviderProtocolError('activeconnect', 'a session URL is not on the configured origin')
    }
  }

  protocolError(what: string, status?: number): ProviderProtocolError {
    return this.#transport.protocolError(what, status)
  }

  async #send(request: HttpRequest, signer: Signer): Promise<HttpResponse> {
    const response = await this.#transport.request({
      ...request,
      secrets: [...(request.secrets ?? []), signer.secret],
      headers: ({ url }) => ({ ...this.#sign(url, signer) }),
    })
    if (response.status === 200 || response.status === 201 || response.status === 202) return response
    throw this.#refusal(response, signer)
  }

  #sign(url: string, signer: Signer): Readonly<Record<string, string>> {
    return signActiveconnectRequest({
      ...signer,
      ...knobsOnly(this.#knobs),
      // What goes over the wire is the parsed form: an apostrophe in a query, for one, becomes %27.
      url: new URL(url).href,
      nonce: Buffer.from(this.#runtime.randomBytes(8)).readBigUInt64BE(),
      timestampSeconds: Math.floor(this.#runtime.now() / 1000),
    }).headers
  }

  #refusal(response: HttpResponse, signer: Signer): Error {
    const date = Date.parse(response.headers.get('date') ?? '')
    const isClockWrong = response.status === 401 && Math.abs(date - this.#runtime.now()) > MAX_SKEW_MS
    const error = this.#transport.refusal(response, [signer.secret])
    if (!isClockWrong || !(error instanceof ProviderRejectedError)) return error
    return new ProviderRejectedError('activeconnect', {
      status: 401,
      providerCode: error.providerCode,
      providerMessage:
        'the clocks of this machine and of the service differ by more than five minutes; set the wrong one',
    })
  }
}

function knobsOnly({ nonceFormatPinned: _, ...knobs }: ResolvedKnobs): Omit<ResolvedKnobs, 'nonceFormatPinned'> {
  return knobs
}

function describe(response: HttpResponse): { code?: string; message?: string } | undefined {
  try {
    const body = response.json()
    const reason: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'reason') : undefined
    return typeof reason === 'string' ? { message: reason } : undefined
  } catch {
    return undefined
  }
}

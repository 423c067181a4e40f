import { z } from 'zod'
import type { ProviderProtocolError } from '../../errors.js'
import {
  ClientCertificateError,
  InvalidOptionError,
  PassByMeServiceError,
  ProviderUnreachableError,
  ServerCertificateError,
} from '../../errors.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../../runtime.js'
import { HttpTransport, transportOptionShape, type HttpRequest, type HttpResponse } from '../http.js'
import {
  filesOf,
  loadCredentials,
  versionOf,
  type CertificateInfo,
  type LoadedCredentials,
  type PassByMeCredentials,
} from './credentials.js'
import { serviceErrorSchema } from './wire.js'

/** Options that both clients of PassBy[ME] take. */
export interface PassByMeOptions extends PassByMeCredentials {
  /** `https:` only, except for a stand-in on loopback. */
  readonly baseUrl?: string | undefined
  /** A warning is logged when the certificate ends within so many days. Default 30. Not for PKCS#12, whose dates Node can't read. */
  readonly expiryWarningDays?: number | undefined
  /** Called beside the logged warning, once a day at most. */
  readonly onCertificateExpiring?: ((certificate: CertificateInfo) => void) | undefined
  /** Deadline of a call in milliseconds. Default 30,000. */
  readonly timeoutMs?: number | undefined
  /** Deadline of a new connection in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined
  /** Longest answer in bytes. Default 1 MiB. */
  readonly maxResponseBytes?: number | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

const material = z.union([z.string().min(1), z.instanceof(Uint8Array)], { error: 'give PEM, a path or a Buffer' })

/** @internal */
export const connectionOptions = {
  ...transportOptionShape,
  key: material.optional(),
  cert: material.optional(),
  passphrase: z.string().optional(),
  pfx: material.optional(),
  ca: z.union([material, z.array(material).min(1)]).optional(),
  expiryWarningDays: z.int().min(0).max(3650).optional(),
  onCertificateExpiring: z
    .custom<(certificate: CertificateInfo) => void>((value) => typeof value === 'function')
    .optional(),
}

/** @internal What distinguishes the two APIs. */
export interface ApiKind {
  readonly provider: string
  readonly version: '1' | '2'
  readonly baseUrl: string
}

const DAY_MS = 86_400_000
const LOOK_AGAIN_MS = 1000

/** @internal Calls over mutual TLS. Takes up a renewed certificate without a restart, and warns before one ends. */
export class Connection {
  readonly #options: PassByMeOptions
  readonly #kind: ApiKind
  readonly #owner: string
  readonly #runtime: Runtime
  readonly #logger: Logger
  readonly #files: readonly string[]
  #version: string
  #loaded: LoadedCredentials
  #transport: HttpTransport
  #lookedAt: number
  #warnedAt = -Infinity

  constructor(options: PassByMeOptions, kind: ApiKind, owner: string) {
    if (options.runtime?.fetch) {
      throw new InvalidOptionError(
        'runtime',
        `${owner}: a fetch of your own can't be given the client certificate; leave it out`,
      )
    }
    if (
      options.pfx !== undefined
        ? (options.cert ?? options.key) !== undefined
        : (options.cert ?? options.key) === undefined
    ) {
      throw new InvalidOptionError(options.pfx ? 'pfx' : 'cert', `${owner}: give either pfx, or cert (and key)`)
    }
    this.#options = options
    this.#kind = kind
    this.#owner = owner
    this.#runtime = resolveRuntime(options.runtime)
    this.#logger = options.logger ?? silentLogger
    this.#files = filesOf(options)
    this.#version = versionOf(this.#files)
    this.#lookedAt = this.#runtime.now()
    this.#loaded = loadCredentials(options, this.#lookedAt)
    this.#transport = this.#connect()
    this.#warn()
  }

  get certificate(): CertificateInfo | undefined {
    return this.#loaded.certificate
  }

  /**
   * Sends a request and gives the parsed body of a success.
   * @throws PassByMeServiceError for status 420; see the clients for the others.
   */
  async json(request: HttpRequest): Promise<unknown> {
    return (await this.send(request)).json({ anyContentType: true })
  }

  /** The same for an answer that is no JSON. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    this.#refresh()
    this.#assertNotExpired()
    const transport = this.#transport
    const response = await transport
      .request({ ...request, headers: { 'x-pbm-api-version': this.#kind.version } })
      .catch((error: unknown) => {
        throw tlsError(error, this.#kind.provider)
      })
    if (response.status >= 200 && response.status < 300) return response
    if (response.status === 420) throw this.#serviceError(response)
    throw transport.refusal(response)
  }

  protocolError(what: string, status?: number): ProviderProtocolError {
    return this.#transport.protocolError(what, status)
  }

  close(): void {
    this.#transport.close()
  }

  #serviceError(response: HttpResponse): Error {
    // An empty 420 is not the service speaking: something between it and us is.
    if (response.bytes.length === 0) return this.#transport.refusal(response)
    const error = serviceErrorSchema.safeParse(response.json({ anyContentType: true }))
    if (!error.success) return this.protocolError('status 420 without the documented error object', 420)
    return new PassByMeServiceError(error.data.code, error.data.message ?? undefined)
  }

  #connect(): HttpTransport {
    const { baseUrl, timeoutMs, connectTimeoutMs, maxResponseBytes, runtime, logger, passphrase } = this.#options
    return new HttpTransport(
      {
        provider: this.#kind.provider,
        baseUrl: baseUrl ?? this.#kind.baseUrl,
        timeoutMs: timeoutMs ?? 30_000,
        connectTimeoutMs: connectTimeoutMs ?? 10_000,
        maxResponseBytes,
        tls: this.#loaded.tls,
        secrets: passphrase === undefined ? [] : [passphrase],
        runtime,
        logger,
      },
      this.#owner,
    )
  }

  #refresh(): void {
    const now = this.#runtime.now()
    if (this.#files.length > 0 && Math.abs(now - this.#lookedAt) >= LOOK_AGAIN_MS) {
      this.#lookedAt = now
      const version = versionOf(this.#files)
      if (version !== this.#version) this.#reload(version, now)
    }
    this.#warn()
  }

  #reload(version: string, now: number): void {
    try {
      this.#loaded = loadCredentials(this.#options, now)
    } catch (error) {
      // Key and certificate are written one after the other: in between they don't fit. The old pair goes on until they do.
      this.#logger.warn({ provider: this.#kind.provider, error }, 'the renewed client certificate can not be used yet')
      return
    }
    this.#version = version
    const old = this.#transport
    this.#transport = this.#connect()
    this.#warnedAt = -Infinity
    this.#logger.info(
      { provider: this.#kind.provider, ...this.#loaded.certificate },
      'the client certificate was loaded anew',
    )
    // Calls under way end on the old connections; their deadline bounds how long those are needed.
    setTimeout(() => old.close(), this.#options.timeoutMs ?? 30_000).unref()
  }

  #assertNotExpired(): void {
    const { certificate } = this.#loaded
    if (certificate && this.#runtime.now() > certificate.expiresAt.getTime()) {
      const date = certificate.expiresAt.toISOString()
      throw new ClientCertificateError('expired', `the client certificate expired on ${date}; renew it`)
    }
  }

  #warn(): void {
    const { certificate } = this.#loaded
    const now = this.#runtime.now()
    if (!certificate || now - this.#warnedAt < DAY_MS) return
    const days = (certificate.expiresAt.getTime() - now) / DAY_MS
    if (days > (this.#options.expiryWarningDays ?? 30)) return
    this.#warnedAt = now
    const details = { provider: this.#kind.provider, subject: certificate.subject, expiresAt: certificate.expiresAt }
    this.#logger.warn({ ...details, daysLeft: Math.floor(days) }, 'the client certificate ends soon; renew it')
    this.#options.onCertificateExpiring?.(certificate)
  }
}

const serverCodes: ReadonlyMap<string, ServerCertificateError['reason']> = new Map([
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'host-name'],
  ['CERT_HAS_EXPIRED', 'expired'],
  ['CERT_NOT_YET_VALID', 'expired'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'unknown-authority'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'unknown-authority'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'unknown-authority'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'unknown-authority'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unknown-authority'],
])

/** @internal Tells TLS failures apart, as far as they can be. */
export function tlsError(error: unknown, provider: string): unknown {
  if (!(error instanceof ProviderUnreachableError)) return error
  const server = serverCodes.get(error.reason)
  if (server) return new ServerCertificateError(provider, server, { cause: error })
  // With TLS 1.3 the service refuses a client certificate after the handshake: an alert, or nothing but a reset.
  if (/ALERT_(?:CERTIFICATE_EXPIRED|.*EXPIRED)/.test(error.reason)) {
    return new ClientCertificateError('expired', 'the service says that the client certificate has expired', {
      cause: error,
    })
  }
  if (/ALERT|HANDSHAKE_FAILURE/.test(error.reason)) {
    return new ClientCertificateError('refused', `the service refused the client certificate (${error.reason})`, {
      cause: error,
    })
  }
  if (/^(?:ECONNRESET|EPIPE)$/.test(error.reason)) {
    return new ClientCertificateError(
      'reset',
      'the connection was reset before an answer: the service refuses this client certificate or its issuer, or the network failed; the outcome of the call is unknown',
      { cause: error },
    )
  }
  return error
}

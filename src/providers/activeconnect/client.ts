import { inspect } from 'node:util'
import type { CallOptions } from '../../approval/channel.js'
import { InvalidInputError, InvalidOptionError } from '../../errors.js'
import { parseOptions } from '../../options.js'
import { resolveRuntime } from '../../runtime.js'
import type { HttpResponse } from '../http.js'
import { ACTIVECONNECT_BASE_URL, clientOptions, type ActiveconnectClientOptions } from './client-options.js'
import { Gateway } from './gateway.js'
import { derivedSealingKey, SessionSeal, type ActiveconnectSealScope } from './sealing.js'
import { ActiveconnectSession, type SessionCalls, type SessionCredentials } from './session.js'
import { ActiveconnectUsers, segment } from './users.js'
import {
  ACTIVECONNECT_METHODS,
  outcomeSchema,
  readStatus,
  readStatusAnswer,
  startedSchema,
  startSchema,
  type ActiveconnectMethod,
  type ActiveconnectStatus,
} from './wire.js'
import { isSandboxSecret } from './wire-sandbox.js'

/** Options of {@link ActiveconnectClient.authenticate}. */
export interface AuthenticateOptions extends CallOptions {
  /** The proofs that the phone is asked for, all of them. Default: the service chooses, as the vendor advises. */
  readonly methods?: readonly ActiveconnectMethod[]
}

/** Options of {@link ActiveconnectClient.sealSession}. */
export interface SealSessionOptions {
  /** What it is kept for, such as `login`; compared when it is opened. */
  readonly purpose: string
  /** How long it can be opened, in seconds. Default 30 days. */
  readonly ttlSeconds?: number
}

/**
 * Activeconnect (later IAMPASS): out-of-band login by the user's phone, with presence.
 *
 * @example
 * const client = new ActiveconnectClient({ applicationId, applicationSecret })
 * const session = await client.authenticate(userId)
 * if ((await session.status()) === 'active') signIn(userId)
 */
export class ActiveconnectClient {
  /** Users, their phones and registration links. */
  readonly users: ActiveconnectUsers
  readonly #applicationId: string
  readonly #gateway: Gateway
  readonly #seal: SessionSeal
  readonly #calls: SessionCalls

  /** @throws InvalidOptionError naming the option that is wrong. */
  constructor(options: ActiveconnectClientOptions) {
    const given = parseOptions(clientOptions, options, 'ActiveconnectClient')
    const { applicationId, applicationSecret } = given
    refuseSandboxSecret(applicationSecret, given.baseUrl)
    this.#applicationId = applicationId
    this.#gateway = new Gateway(given, 'ActiveconnectClient')
    this.users = new ActiveconnectUsers(this.#gateway, applicationId)
    const keys = given.sealingKeys ?? [derivedSealingKey(applicationId, applicationSecret)]
    this.#seal = new SessionSeal(keys, applicationId, resolveRuntime(given.runtime))
    this.#calls = { status: this.#status.bind(this), destroy: this.#destroy.bind(this) }
  }

  /**
   * Asks the user's phone to authenticate them. Resolves when the request was started (`pending`), or was refused
   * (`failed`, with `failureReason`). Nobody is authenticated until {@link ActiveconnectSession.status} says `'active'`.
   * Never repeated by itself: a repeat would ask twice.
   *
   * @throws ProviderRejectedError (404: no such user), ProviderProtocolError, ProviderUnreachableError, ProviderTimeoutError.
   */
  async authenticate(userId: string, options: AuthenticateOptions = {}): Promise<ActiveconnectSession> {
    const { methods, signal } = options
    if (methods?.some((method) => !ACTIVECONNECT_METHODS.includes(method))) {
      throw new InvalidInputError('methods', `methods are out of ${ACTIVECONNECT_METHODS.join(', ')}`)
    }
    const response = await this.#gateway.application({
      operation: 'authenticate',
      method: 'POST',
      path: `/authentication/authenticate_user/${encodeURIComponent(this.#applicationId)}/${segment(userId)}`,
      label: '/authentication/authenticate_user/{app}/{user}',
      ...(methods && methods.length > 0 ? { query: { methods: [...new Set(methods)].join(',') } } : {}),
      signal,
    })
    return this.#started(userId, response)
  }

  /** Seals a session (JWE, `dir`, A256GCM), so that it can live in a cookie, a session or a store. */
  async sealSession(
    session: ActiveconnectSession,
    options: SealSessionOptions & Partial<Pick<ActiveconnectSealScope, 'userId'>>,
  ): Promise<string> {
    const { purpose, ttlSeconds = 30 * 86_400 } = options
    if (options.userId !== undefined && options.userId !== session.userId) {
      throw new InvalidInputError('userId', 'the session is another user’s')
    }
    const scope = { userId: session.userId, purpose }
    return this.#seal.seal(ActiveconnectSession.serialise(session), scope, ttlSeconds)
  }

  /**
   * Opens a sealed session again. Its status is old news: ask for it before it is trusted.
   *
   * @throws InvalidInputError when it was not sealed for this application, user and purpose, is too old, or leads to a foreign origin.
   */
  async unsealSession(sealed: string, scope: ActiveconnectSealScope): Promise<ActiveconnectSession> {
    const stored = await this.#seal.open(sealed, scope)
    const { session_token: token, session_secret: secret, status_url: statusUrl, logout_url: logoutUrl } = stored
    const credentials = token && secret && statusUrl && logoutUrl ? { token, secret, statusUrl, logoutUrl } : undefined
    if (credentials) this.#assertOwn(credentials)
    return new ActiveconnectSession(this.#calls, {
      userId: scope.userId,
      status: credentials || stored.session_status === 'failed' ? stored.session_status : 'failed',
      failureReason: stored.failure_reason ?? undefined,
      credentials,
    })
  }

  #started(userId: string, response: HttpResponse): ActiveconnectSession {
    const body = response.json()
    const start = startSchema.safeParse(body).data?.authentication_status
    if (!start) throw this.#gateway.protocolError('the answer to a start has no authentication_status', response.status)
    if (!start.authenticated) {
      const failureReason = start.reason?.slice(0, 100) ?? undefined
      return new ActiveconnectSession(this.#calls, { userId, status: 'failed', failureReason, credentials: undefined })
    }
    const started = startedSchema.safeParse(body).data?.authentication_status
    if (!started || response.status !== 202) {
      throw this.#gateway.protocolError('the answer to a start is not the documented one', response.status)
    }
    const credentials = {
      token: started.session_token,
      secret: started.session_secret,
      statusUrl: started.status_url,
      logoutUrl: started.logout_url,
    }
    this.#assertOwn(credentials)
    const status = readStatus(started.session_status)
    return new ActiveconnectSession(this.#calls, { userId, status, failureReason: undefined, credentials })
  }

  #assertOwn(credentials: SessionCredentials): void {
    this.#gateway.assertOwnUrl(credentials.statusUrl)
    this.#gateway.assertOwnUrl(credentials.logoutUrl)
  }

  async #status(credentials: SessionCredentials, call: CallOptions): Promise<ActiveconnectStatus> {
    const response = await this.#gateway.session(
      { operation: 'session.status', method: 'GET', url: credentials.statusUrl, repeatable: true, signal: call.signal },
      signerOf(credentials),
    )
    const status = response.status === 200 ? readStatusAnswer(response.json()) : undefined
    if (status === undefined) {
      throw this.#gateway.protocolError('the answer of a status URL is not the documented one', response.status)
    }
    return status
  }

  async #destroy(credentials: SessionCredentials, call: CallOptions): Promise<boolean> {
    const response = await this.#gateway.session(
      { operation: 'session.destroy', method: 'POST', url: credentials.logoutUrl, signal: call.signal },
      signerOf(credentials),
    )
    return response.status === 200 && outcomeSchema.safeParse(response.json()).data?.status === true
  }

  toJSON(): object {
    return { provider: 'activeconnect', applicationId: this.#applicationId }
  }

  [inspect.custom](): string {
    return `ActiveconnectClient ${inspect(this.toJSON())}`
  }
}

function signerOf({ token, secret }: SessionCredentials): { readonly clientId: string; readonly secret: string } {
  return { clientId: token, secret }
}

function refuseSandboxSecret(secret: string, baseUrl = ACTIVECONNECT_BASE_URL): void {
  if (!isSandboxSecret(secret) || !URL.canParse(baseUrl)) return
  if (/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(new URL(baseUrl).hostname)) return
  throw new InvalidOptionError(
    'applicationSecret',
    "ActiveconnectClient: the secret is a sandbox's; give the real one, or the sandbox's URL as baseUrl",
  )
}

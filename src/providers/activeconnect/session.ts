import { inspect } from 'node:util'
import type { CallOptions } from '../../approval/channel.js'
import { isEnded, isInProgress, type ActiveconnectStatus, type SerialisedSession } from './wire.js'

/** @internal What a session needs of its client. */
export interface SessionCalls {
  status(credentials: SessionCredentials, call: CallOptions): Promise<ActiveconnectStatus>
  destroy(credentials: SessionCredentials, call: CallOptions): Promise<boolean>
}

/** @internal */
export interface SessionCredentials {
  readonly token: string
  readonly secret: string
  readonly statusUrl: string
  readonly logoutUrl: string
}

/** @internal */
export interface SessionStart {
  readonly userId: string
  readonly status: ActiveconnectStatus
  readonly failureReason: string | undefined
  readonly credentials: SessionCredentials | undefined
}

/**
 * One authentication at Activeconnect and what follows from it. Printing it shows no credential; seal it with
 * `client.sealSession` to keep it.
 */
export class ActiveconnectSession {
  /** The user who is asked. */
  readonly userId: string
  /** Why the request was not even started, such as `NO_MOBILE_DEVICE`. */
  readonly failureReason: string | undefined
  readonly #calls: SessionCalls
  readonly #credentials: SessionCredentials | undefined
  #status: ActiveconnectStatus

  /** @internal */
  constructor(calls: SessionCalls, start: SessionStart) {
    this.#calls = calls
    this.userId = start.userId
    this.failureReason = start.failureReason
    this.#status = start.status
    this.#credentials = start.credentials
  }

  /** The status when it was last asked for. Old news: never let anyone in by it, call {@link ActiveconnectSession.status}. */
  get lastStatus(): ActiveconnectStatus {
    return this.#status
  }

  /** Whether the phone may still answer, as of the last status. */
  get isInProgress(): boolean {
    return isInProgress(this.#status)
  }

  /** Whether nothing can follow, as of the last status. `walkaway` is no end. */
  get isEnded(): boolean {
    return isEnded(this.#status)
  }

  /**
   * Asks the service. Only `'active'` lets the user in. A session that was once seen ended stays so, whatever the service says later.
   *
   * @throws ProviderRejectedError (404: the service knows the session no more), ProviderProtocolError, ProviderUnreachableError,
   * ProviderTimeoutError: "could not ask" is no status.
   */
  async status(call: CallOptions = {}): Promise<ActiveconnectStatus> {
    if (isEnded(this.#status) || !this.#credentials) return this.#status
    const status = await this.#calls.status(this.#credentials, call)
    // Read again: another call may have seen the end while this one was on its way.
    if (!isEnded(this.#status)) this.#status = status
    return this.#status
  }

  /** Ends the session at the service; a pending one is withdrawn. True if the service says that it has ended. */
  async destroy(call: CallOptions = {}): Promise<boolean> {
    if (!this.#credentials) return true
    const isDestroyed = await this.#calls.destroy(this.#credentials, call)
    if (isDestroyed && !isEnded(this.#status)) this.#status = 'closed'
    return isDestroyed
  }

  /** @internal The live credential, for sealing only. A static: an instance's method would be one `JSON.stringify` away. */
  static serialise(session: ActiveconnectSession): SerialisedSession {
    return {
      session_token: session.#credentials?.token ?? null,
      session_secret: session.#credentials?.secret ?? null,
      logout_url: session.#credentials?.logoutUrl ?? null,
      status_url: session.#credentials?.statusUrl ?? null,
      failure_reason: session.failureReason ?? null,
      session_status: session.#status,
    }
  }

  toJSON(): object {
    return { userId: this.userId, lastStatus: this.#status, failureReason: this.failureReason }
  }

  [inspect.custom](): string {
    return `ActiveconnectSession ${inspect(this.toJSON())}`
  }
}

import { inspect } from 'node:util'
import type { z } from 'zod'
import type { CallOptions } from '../../approval/channel.js'
import { ProviderProtocolError } from '../../errors.js'
import {
  isPossibleTransition,
  passByMeVerdict,
  type PassByMeMessageType,
  type PassByMeRecipient,
  type PassByMeVerdict,
  type sessionInfoSchema,
} from './wire.js'

/** @internal */
export type SessionInfoBody = z.output<typeof sessionInfoSchema>

/** @internal What a SessionInfo needs of its client. */
export interface SessionInfoCalls {
  track(messageId: string, call: CallOptions): Promise<SessionInfoBody>
  cancel(messageId: string, call: CallOptions): Promise<SessionInfoBody>
}

/** A message as the service last reported it. {@link SessionInfo.refresh} and {@link SessionInfo.cancel} bring it up to date. */
export class SessionInfo {
  /** The service's handle of the message. Never take one from a browser. */
  readonly messageId: string
  /** What the message was sent as; a tracked one counts as an authorization unless told otherwise. */
  readonly type: PassByMeMessageType
  /** A short code that the phone shows as well: show it on the login page, for the person to compare. No credential. */
  readonly secureId: string | undefined
  readonly #calls: SessionInfoCalls
  #body: SessionInfoBody

  /** @internal */
  constructor(calls: SessionInfoCalls, body: SessionInfoBody, type: PassByMeMessageType) {
    this.#calls = calls
    this.#body = body
    this.messageId = body.messageId
    this.secureId = body.secureId ?? undefined
    this.type = type
  }

  /** Until when phones can fetch the message, by the service's clock. */
  get expirationDate(): Date {
    return new Date(this.#body.expirationDate)
  }

  /** Everybody who was asked, each with a status; see `PassByMeStatus`. */
  get recipients(): readonly PassByMeRecipient[] {
    return this.#body.recipients
  }

  /**
   * What became of one recipient's copy. Names the recipient on purpose: "somebody approved" lets the wrong person's approval through.
   *
   * @param userId - exactly as it was given to `recipients`.
   * @param hasExpired - by your own clock: then what is still open is `expired`.
   */
  verdictOf(userId: string, hasExpired = false): PassByMeVerdict {
    const recipient = this.recipients.find((entry) => entry.userId === userId)
    return recipient ? passByMeVerdict(recipient.status, this.type, hasExpired) : 'error'
  }

  /** Asks the service, and resolves with this object, brought up to date. @throws ProviderProtocolError when the answer contradicts the last one. */
  async refresh(call: CallOptions = {}): Promise<this> {
    return this.#update(await this.#calls.track(this.messageId, call))
  }

  /**
   * Withdraws the message from everybody who has not answered, and resolves with this object, brought up to date.
   * @throws PassByMeServiceError `ALREADY_COMPLETED` when nobody is pending any more.
   */
  async cancel(call: CallOptions = {}): Promise<this> {
    return this.#update(await this.#calls.cancel(this.messageId, call))
  }

  #update(next: SessionInfoBody): this {
    const before = new Map(this.#body.recipients.map(({ userId, status }) => [userId, status]))
    const isConsistent =
      next.recipients.length === before.size &&
      next.recipients.every(
        ({ userId, status }) => isPossibleTransition(before.get(userId) ?? '', status, this.type) && before.has(userId),
      )
    // Somebody who was ever denied can't have approved, and nobody joins later.
    if (!isConsistent) throw new ProviderProtocolError('passbyme', 'the recipients contradict an earlier answer')
    this.#body = { ...next, secureId: this.#body.secureId }
    return this
  }

  toJSON(): object {
    const { messageId, type, secureId, expirationDate, recipients } = this
    return { messageId, type, secureId, expirationDate, recipients }
  }

  [inspect.custom](): string {
    return `SessionInfo ${inspect(this.toJSON())}`
  }
}

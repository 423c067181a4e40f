import { z } from 'zod'
import type { CallOptions } from '../../approval/channel.js'
import { InvalidInputError, PassByMeServiceError } from '../../errors.js'
import { encodeSegment } from '../http.js'
import type { Connection } from './connection.js'
import { LIMITS } from './wire.js'

/** A question to one person, over the API of 2015. */
export interface PassByMeAuthenticationRequest {
  /** The PassBy[ME] id of the person. */
  readonly userId: string
  /** What the phone shows. At most 255 characters. */
  readonly message: string
  /** How long it can be answered, in whole seconds. Left out: the service decides. */
  readonly timeoutSeconds?: number | undefined
}

/** A question that the service has taken. */
export interface PassByMeTransaction {
  /** The service's handle. Never take one from a browser. */
  readonly transactionId: string
  /** The last six characters of the handle, which the phone shows as well. For comparing; no credential. */
  readonly code: string
}

/** How far a question has come. */
export interface PassByMeProgress {
  /** The service's own word: `PENDING`, `APPROVED`, `DENIED`, `TIMEOUT`, or one that nobody documents. */
  readonly status: string
  /** What it means. A word that nobody documents is pending. */
  readonly verdict: 'pending' | 'approved' | 'denied' | 'expired'
}

const verdicts: ReadonlyMap<string, PassByMeProgress['verdict']> = new Map([
  ['APPROVED', 'approved'],
  ['DENIED', 'denied'],
  ['TIMEOUT', 'expired'],
])
const CODE_LENGTH = 6
const transaction = z.string().min(CODE_LENGTH).max(512)

/**
 * `client.authentication`: the API of 2015, which the messages have superseded. One person, one approval, no other types and no
 * callback. For services that offer nothing newer. Errors are those of {@link PassByMeClient}.
 */
export class PassByMeAuthentication {
  readonly #connection: Connection

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Asks a person. Never repeated by itself: each question reaches a phone. When it fails without an answer its outcome is unknown. */
  async start(request: PassByMeAuthenticationRequest, call: CallOptions = {}): Promise<PassByMeTransaction> {
    const answer = await this.#connection.json({
      operation: 'authentication.start',
      method: 'POST',
      path: '/authenticationRequest',
      label: '/authenticationRequest',
      json: bodyOf(request),
      signal: call.signal,
    })
    const transactionId = this.#text(transaction, answer, 'is no transaction id')
    return { transactionId, code: transactionId.slice(-CODE_LENGTH) }
  }

  /** Asks how far a question has come. Changes nothing. */
  async progress(transactionId: string, call: CallOptions = {}): Promise<PassByMeProgress> {
    const status = await this.#progress(transactionId, call)
    return { status, verdict: verdicts.get(status) ?? 'pending' }
  }

  /** Withdraws a question. */
  async cancel(transactionId: string, call: CallOptions = {}): Promise<void> {
    await this.#connection.json({
      operation: 'authentication.cancel',
      method: 'DELETE',
      path: pathOf('authenticationCancel', transactionId),
      label: '/authenticationCancel/{transactionId}',
      signal: call.signal,
    })
  }

  async #progress(transactionId: string, call: CallOptions): Promise<string> {
    const request = {
      operation: 'authentication.progress',
      method: 'GET',
      path: pathOf('authenticationProgress', transactionId),
      label: '/authenticationProgress/{transactionId}',
      repeatable: true,
      signal: call.signal,
    } as const
    try {
      return this.#text(z.string(), await this.#connection.json(request), 'is no status')
    } catch (error) {
      // The same news in the form of an error.
      if (error instanceof PassByMeServiceError && error.providerCode === 'TIMEOUT') return 'TIMEOUT'
      throw error
    }
  }

  #text(schema: z.ZodType<string>, answer: unknown, what: string): string {
    const result = schema.safeParse(answer)
    if (!result.success) throw this.#connection.protocolError(`the answer ${what}`)
    return result.data
  }
}

function bodyOf({ userId, message, timeoutSeconds }: PassByMeAuthenticationRequest): Record<string, string | number> {
  if (typeof userId !== 'string' || userId === '') throw new InvalidInputError('userId', 'userId must be an id')
  if (typeof message !== 'string' || Array.from(message).length > LIMITS.authentication)
    throw new InvalidInputError('message', `message must be text of at most ${LIMITS.authentication} characters`)
  if (timeoutSeconds === undefined) return { userId, message }
  if (!Number.isSafeInteger(timeoutSeconds) || timeoutSeconds < 1)
    throw new InvalidInputError('timeoutSeconds', 'timeoutSeconds must be whole seconds, 1 or more')
  return { userId, message, timeout: timeoutSeconds }
}

function pathOf(operation: string, transactionId: string): string {
  return `/${operation}/${encodeSegment('transactionId', transactionId, { slashes: true })}`
}

import { inspect } from 'node:util'
import { z } from 'zod'
import type { CallOptions } from '../../approval/channel.js'
import { InvalidInputError } from '../../errors.js'
import { parseOptions } from '../../options.js'
import { encodeSegment, type HttpRequest } from '../http.js'
import { PassByMeAuthentication } from './authentication.js'
import { Connection, connectionOptions, type PassByMeOptions } from './connection.js'
import type { CertificateInfo } from './credentials.js'
import { SessionInfo, type SessionInfoBody, type SessionInfoCalls } from './session-info.js'
import { LIMITS, PassByMeMessageType, sessionInfoSchema, type SendBody } from './wire.js'

/** Options of a {@link PassByMeClient}. */
export interface PassByMeClientOptions extends PassByMeOptions {
  /** Longest `availability` that is sent, in seconds. Default 86,400. */
  readonly maxAvailabilitySeconds?: number | undefined
  /** Lets a `callbackUrl` be `http:` on loopback, for a sandbox. Default false. */
  readonly allowLoopbackCallback?: boolean | undefined
}

/** A message to be sent. */
export interface PassByMeMessage {
  /** PassBy[ME] ids, which may be any alias of a person. Repeated ones are sent once. */
  readonly recipients: readonly string[]
  /** At most 254 characters. */
  readonly subject?: string | null | undefined
  /** At most 4094 characters. For `esign`: the URL of the document. */
  readonly body?: string | null | undefined
  /** How long phones can fetch it, in whole seconds. */
  readonly availability: number
  readonly type: PassByMeMessageType
  /** Called, unsigned, when something changes: a hint to look, never more. Put an unguessable value into it. */
  readonly callbackUrl?: string | null | undefined
}

/** Options of {@link PassByMeClient.trackMessage} and {@link PassByMeClient.cancelMessage}. */
export interface TrackOptions extends CallOptions {
  /** What the message was sent as; decides what `SEEN` means. Default `authorization`, where it means nothing. */
  readonly type?: PassByMeMessageType
}

const clientOptions = z.strictObject({
  ...connectionOptions,
  maxAvailabilitySeconds: z.int().min(1).optional(),
  allowLoopbackCallback: z.boolean().optional(),
})

const types: readonly string[] = Object.values(PassByMeMessageType)

/**
 * The messaging API of PassBy[ME], over mutual TLS: the client certificate is the only credential.
 *
 * Errors of calls: `InvalidInputError` (nothing was sent), `ClientCertificateError`, `ServerCertificateError`, `PassByMeServiceError` (the
 * service's own, status 420), `ProviderRejectedError` (other statuses), `ProviderProtocolError`, `ProviderTimeoutError`, `ProviderUnreachableError`.
 *
 * @example
 * const client = new PassByMeClient({ cert: '/etc/app/passbyme.pem', passphrase })
 * const info = await client.sendMessage({
 *   recipients: ['alice@example.org'], subject: 'Sign-in', availability: 120, type: 'authorization' })
 * showOnLoginPage(info.secureId)
 */
export class PassByMeClient {
  /** The API of 2015. */
  readonly authentication: PassByMeAuthentication
  readonly #connection: Connection
  readonly #calls: SessionInfoCalls
  readonly #maxAvailability: number
  readonly #allowLoopbackCallback: boolean

  /** @throws InvalidOptionError, and ClientCertificateError when the certificate or key can't be used. */
  constructor(options: PassByMeClientOptions) {
    const { maxAvailabilitySeconds, allowLoopbackCallback, ...connection } = parseOptions(
      clientOptions,
      options,
      'PassByMeClient',
    )
    this.#connection = new Connection(connection, kind, 'PassByMeClient')
    this.authentication = new PassByMeAuthentication(this.#connection)
    this.#maxAvailability = maxAvailabilitySeconds ?? 86_400
    this.#allowLoopbackCallback = allowLoopbackCallback ?? false
    this.#calls = {
      track: (messageId, call) => this.#message('trackMessage', 'GET', messageId, call),
      cancel: (messageId, call) => this.#message('cancelMessage', 'DELETE', messageId, call),
    }
  }

  /** What is known of the client certificate; undefined for PKCS#12. */
  get certificate(): CertificateInfo | undefined {
    return this.#connection.certificate
  }

  /**
   * Sends a message. Never repeated by itself: each send reaches a phone. When it fails without an answer its outcome is unknown.
   *
   * The service may name a person otherwise than you did: ask for each by `verdictOf`, which knows only the ids in the answer.
   */
  async sendMessage(message: PassByMeMessage, call: CallOptions = {}): Promise<SessionInfo> {
    const body = this.#bodyOf(message)
    const answer = await this.#connection.json({
      operation: 'sendMessage',
      method: 'POST',
      path: '/messages',
      label: '/messages',
      json: { ...body },
      signal: call.signal,
    })
    return new SessionInfo(this.#calls, this.#read(answer), body.type)
  }

  /** Asks where a message stands. Changes nothing. */
  async trackMessage(messageId: string, options: TrackOptions = {}): Promise<SessionInfo> {
    return new SessionInfo(this.#calls, await this.#calls.track(messageId, options), options.type ?? 'authorization')
  }

  /** Withdraws a message from everybody who has not answered. */
  async cancelMessage(messageId: string, options: TrackOptions = {}): Promise<SessionInfo> {
    return new SessionInfo(this.#calls, await this.#calls.cancel(messageId, options), options.type ?? 'authorization')
  }

  /** Closes the connections. */
  close(): void {
    this.#connection.close()
  }

  async #message(
    operation: string,
    method: 'GET' | 'DELETE',
    messageId: string,
    call: CallOptions,
  ): Promise<SessionInfoBody> {
    const request: HttpRequest = {
      operation,
      method,
      path: `/messages/${encodeSegment('messageId', messageId, { slashes: true })}`,
      label: '/messages/{messageId}',
      repeatable: method === 'GET',
      signal: call.signal,
    }
    const info = this.#read(await this.#connection.json(request))
    if (info.messageId !== messageId) throw this.#connection.protocolError('the answer is about another message')
    return info
  }

  #read(answer: unknown): SessionInfoBody {
    const result = sessionInfoSchema.safeParse(answer)
    if (result.success) return result.data
    const field = result.error.issues[0]?.path.join('.') ?? ''
    throw this.#connection.protocolError(`the answer's field '${field}' is not the documented one`)
  }

  #bodyOf(message: PassByMeMessage): SendBody {
    const { recipients, availability, type } = message
    if (
      !Array.isArray(recipients) ||
      recipients.length === 0 ||
      !recipients.every((id) => typeof id === 'string' && id !== '')
    ) {
      throw new InvalidInputError('recipients', 'recipients must be a list of one or more ids')
    }
    if (!Number.isInteger(availability) || availability < 1 || availability > this.#maxAvailability) {
      throw new InvalidInputError('availability', `availability must be whole seconds, 1 to ${this.#maxAvailability}`)
    }
    if (!types.includes(type)) throw new InvalidInputError('type', `type must be one of ${types.join(', ')}`)
    return {
      recipients: [...new Set(recipients)],
      subject: limited('subject', message.subject, LIMITS.subject),
      body: limited('body', message.body, LIMITS.body),
      availability,
      type,
      callbackUrl: this.#callback(message.callbackUrl),
    }
  }

  #callback(text: string | null | undefined): string | null {
    if (text === null || text === undefined) return null
    const url =
      typeof text === 'string' && text.length <= LIMITS.callbackUrl && URL.canParse(text) ? new URL(text) : undefined
    const isLoopback =
      this.#allowLoopbackCallback && url && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
    if (
      url &&
      !url.username &&
      !url.password &&
      (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback))
    )
      return text
    throw new InvalidInputError('callbackUrl', 'callbackUrl must be an absolute https URL without credentials')
  }

  toJSON(): object {
    return { provider: 'passbyme', certificate: this.certificate }
  }

  [inspect.custom](): string {
    return `PassByMeClient ${inspect(this.toJSON())}`
  }
}

const kind = { provider: 'passbyme', version: '1', baseUrl: 'https://auth-sp.passbyme.com/frontend' } as const

function limited(field: string, text: string | null | undefined, limit: number): string | null {
  if (text === null || text === undefined) return null
  if (typeof text !== 'string' || Array.from(text).length > limit) {
    throw new InvalidInputError(field, `${field} must be text of at most ${limit} characters`)
  }
  return text
}

/**
 * Every error that this package throws on purpose. Each has a class, a literal `code` for `switch`, the evidence as
 * fields, and the `cause`. Codes are part of the public interface; messages are for developers and hold no secret.
 */

/** Base class of all errors of this package. Catch this, then switch on `code`. */
export abstract class ApprovalError extends Error {
  abstract readonly code: string

  constructor(message: string, options?: { cause?: unknown }) {
    // A key `cause` that is undefined would still show up in inspect(); leave it out.
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
  }
}

/** An option given to a constructor or factory is missing, unknown or of the wrong kind. A mistake in code or configuration. */
export class InvalidOptionError extends ApprovalError {
  readonly code = 'ERR_OPTION'
  /** The option's name, with dots for nesting: `policy.maxAgeSeconds`. */
  readonly option: string

  constructor(option: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.option = option
  }
}

/** A value that came from outside (a token, an id, a phone number) does not have the form it must have. Nothing was sent. */
export class InvalidInputError extends ApprovalError {
  readonly code = 'ERR_INPUT'
  /** The field's name. Never its value. */
  readonly field: string

  constructor(field: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.field = field
  }
}

/** The provider answered, and the answer was no. */
export class ProviderRejectedError extends ApprovalError {
  readonly code = 'ERR_PROVIDER_REJECTED'
  readonly provider: string
  /** HTTP status of the answer. */
  readonly status: number
  /** The provider's own error code, where it gives one. */
  readonly providerCode: string | undefined
  /** The provider's own sentence, where it gives one: one line, 200 characters at most, control characters removed. */
  readonly providerMessage: string | undefined

  constructor(
    provider: string,
    reply: { status: number; providerCode?: string | undefined; providerMessage?: string | undefined },
    options?: { cause?: unknown },
  ) {
    const code = reply.providerCode === undefined ? '' : `, code ${reply.providerCode}`
    const text = reply.providerMessage === undefined ? '' : `: ${reply.providerMessage}`
    super(`${provider} refused the request (HTTP ${reply.status}${code})${text}`, options)
    this.provider = provider
    this.status = reply.status
    this.providerCode = reply.providerCode
    this.providerMessage = reply.providerMessage
  }
}

/** The provider asks us to come back later (HTTP 429, or 503 with `Retry-After`). */
export class ProviderRateLimitedError extends ApprovalError {
  readonly code = 'ERR_PROVIDER_RATE_LIMITED'
  readonly provider: string
  readonly status: number
  readonly providerCode: string | undefined
  /** Milliseconds to wait, from `Retry-After`; undefined when the provider did not say. */
  readonly retryAfterMs: number | undefined

  constructor(
    provider: string,
    reply: { status: number; providerCode?: string | undefined; retryAfterMs?: number | undefined },
    options?: { cause?: unknown },
  ) {
    super(`${provider} answers that there were too many requests (HTTP ${reply.status})`, options)
    this.provider = provider
    this.status = reply.status
    this.providerCode = reply.providerCode
    this.retryAfterMs = reply.retryAfterMs
  }
}

/** The answer is not one that the provider documents: wrong type, missing field, broken JSON, too large, a redirect. */
export class ProviderProtocolError extends ApprovalError {
  readonly code = 'ERR_PROVIDER_PROTOCOL'
  readonly provider: string
  /** HTTP status of the answer, when there was one. */
  readonly status: number | undefined

  constructor(provider: string, message: string, options?: { status?: number; cause?: unknown }) {
    super(`${provider}: ${message}`, options)
    this.provider = provider
    this.status = options?.status
  }
}

/** A deadline passed before the provider's answer was complete. Whether the provider acted is unknown. */
export class ProviderTimeoutError extends ApprovalError {
  readonly code = 'ERR_PROVIDER_TIMEOUT'
  readonly provider: string
  /**
   * What took too long: connecting, the whole call (or an answer after an upload), or, in a long transfer, the time in
   * which nothing moved.
   */
  readonly phase: 'connect' | 'total' | 'idle'
  /** The deadline, in milliseconds. */
  readonly timeoutMs: number

  constructor(
    provider: string,
    phase: ProviderTimeoutError['phase'],
    timeoutMs: number,
    options?: { cause?: unknown },
  ) {
    super(
      {
        connect: `${provider} could not be connected to within ${timeoutMs} ms`,
        total: `${provider} did not answer completely within ${timeoutMs} ms`,
        idle: `${provider}: nothing moved for ${timeoutMs} ms in the middle of a transfer`,
      }[phase],
      options,
    )
    this.provider = provider
    this.phase = phase
    this.timeoutMs = timeoutMs
  }
}

/** The provider could not be reached: name not found, connection refused or reset, TLS failure, circuit open. */
export class ProviderUnreachableError extends ApprovalError {
  readonly code = 'ERR_PROVIDER_UNREACHABLE'
  readonly provider: string
  /** The system's code, such as `ECONNREFUSED`, or `CIRCUIT_OPEN`. */
  readonly reason: string

  constructor(provider: string, reason: string, options?: { cause?: unknown }) {
    super(`${provider} could not be reached (${reason})`, options)
    this.provider = provider
    this.reason = reason
  }
}

/** The client certificate or its key can't be used, or the service does not accept it. The message says which, as far as it is known. */
export class ClientCertificateError extends ApprovalError {
  readonly code = 'ERR_CLIENT_CERTIFICATE'
  /**
   * `missing`, `unreadable`, `passphrase`, `mismatch`, `expired`, `not-yet-valid`, `legacy-pkcs12`: known here, nothing was sent.
   * `refused`: the service said so. `reset`: the connection ended without a word, which is how TLS 1.3 often refuses.
   */
  readonly reason:
    | 'missing'
    | 'unreadable'
    | 'passphrase'
    | 'mismatch'
    | 'expired'
    | 'not-yet-valid'
    | 'legacy-pkcs12'
    | 'refused'
    | 'reset'

  constructor(reason: ClientCertificateError['reason'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.reason = reason
  }
}

/** The certificate with which a provider's server answered is not to be trusted. Nothing was sent. */
export class ServerCertificateError extends ApprovalError {
  readonly code = 'ERR_SERVER_CERTIFICATE'
  readonly provider: string
  readonly reason: 'unknown-authority' | 'host-name' | 'expired'

  constructor(provider: string, reason: ServerCertificateError['reason'], options?: { cause?: unknown }) {
    const sentences = {
      'unknown-authority':
        "the server's certificate is not from a known authority; if it is your own, give it as option ca",
      'host-name': "the server's certificate is for another host name; check baseUrl",
      expired: "the server's certificate is outside its validity dates",
    }
    super(`${provider}: ${sentences[reason]}`, options)
    this.provider = provider
    this.reason = reason
  }
}

/** PassBy[ME] answered with its own error (HTTP status 420). */
export class PassByMeServiceError extends ApprovalError {
  readonly code = 'ERR_PASSBYME_SERVICE'
  readonly status = 420
  /** The service's code, such as `NOT_FOUND`; others than the documented ones are kept. */
  readonly providerCode: string
  /** The service's own sentence: one line, 200 characters at most, control characters removed. */
  readonly providerMessage: string | undefined

  constructor(providerCode: string, providerMessage: string | undefined, options?: { cause?: unknown }) {
    const line = (text: string): string => text.replace(/\p{C}+/gu, ' ').slice(0, 200)
    const message = providerMessage === undefined ? undefined : line(providerMessage)
    super(`PassBy[ME] answered with error ${line(providerCode)}${message === undefined ? '' : `: ${message}`}`, options)
    this.providerCode = line(providerCode)
    this.providerMessage = message
  }
}

/**
 * SendSecure refused, with more than a sentence: which fields it does not like. The same `code` as its base class,
 * because it is handled the same way.
 */
export class SendSecureRejectedError extends ProviderRejectedError {
  /** The service's complaints by field name on the wire; empty when it gives none. */
  readonly attributes: Readonly<Record<string, readonly string[]>>
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly #body: string

  constructor(
    reply: { status: number; providerCode: string; providerMessage?: string | undefined },
    details: {
      readonly attributes: Readonly<Record<string, readonly string[]>>
      readonly method: string
      readonly path: string
      readonly body: string
    },
    options?: { cause?: unknown },
  ) {
    super('sendsecure', reply, options)
    this.attributes = details.attributes
    this.method = details.method
    this.path = details.path
    this.#body = details.body
  }

  /** The answer as it came, 4096 characters at most. Not part of `inspect()` or `JSON.stringify`: it may quote what was sent. */
  get body(): string {
    return this.#body
  }
}

/**
 * The answer to a commit was lost, and reading the SafeBox did not tell whether it was created. Nothing was repeated.
 * Ask `getSafebox(guid)` later before you send again, or the recipients get it twice.
 */
export class SafeBoxOutcomeUnknownError extends ApprovalError {
  readonly code = 'ERR_SAFEBOX_OUTCOME_UNKNOWN'
  readonly guid: string

  constructor(guid: string, options?: { cause?: unknown }) {
    super('the answer to the commit was lost, and whether the SafeBox was created could not be found out', options)
    this.guid = guid
  }
}

/** What the service says it stored is not what was sent: size or SHA-256 differ. */
export class AttachmentCorruptedError extends ApprovalError {
  readonly code = 'ERR_ATTACHMENT_CORRUPTED'
  /** The document's id. */
  readonly documentId: string

  constructor(documentId: string) {
    super('size or SHA-256 of a stored attachment differ from what was sent')
    this.documentId = documentId
  }
}

/** An attachment is not allowed: by the enterprise's own settings, or by the application's limits. */
export class AttachmentRefusedError extends ApprovalError {
  readonly code = 'ERR_ATTACHMENT_REFUSED'
  /** `digest`: it is not the file that was announced. */
  readonly reason: 'extension' | 'size' | 'count' | 'digest'
  readonly filename: string

  constructor(reason: AttachmentRefusedError['reason'], filename: string) {
    super(
      {
        extension: 'attachments with this extension are not allowed',
        size: 'the attachment is larger than is allowed, or not of the size that was announced',
        count: 'there are more attachments than are allowed',
        digest: 'the attachment is not the one that was announced',
      }[reason],
    )
    this.reason = reason
    this.filename = filename
  }
}

/** No such approval, or not one of this session. The two are told apart nowhere, on purpose. */
export class ApprovalNotFoundError extends ApprovalError {
  readonly code = 'ERR_APPROVAL_NOT_FOUND'

  constructor() {
    super('there is no such approval for this session')
  }
}

/** The approval is not one that can be redeemed: not approved, used already, too late, or bound to something else. */
export class ApprovalNotRedeemableError extends ApprovalError {
  readonly code = 'ERR_APPROVAL_NOT_REDEEMABLE'
  readonly reason: 'pending' | 'denied' | 'expired' | 'cancelled' | 'failed' | 'redeemed' | 'binding'

  constructor(reason: ApprovalNotRedeemableError['reason']) {
    super(
      reason === 'binding'
        ? 'the approval was given for something else (purpose, subject or bound data differ)'
        : `the approval cannot be redeemed: it is ${reason}`,
    )
    this.reason = reason
  }
}

/** No push is sent: another one is pending for the recipient, the budget is used up, or the recipient asked for peace. */
export class ApprovalLimitedError extends ApprovalError {
  readonly code = 'ERR_APPROVAL_LIMITED'
  readonly reason: 'pending-elsewhere' | 'budget' | 'after-denial' | 'locked'
  /** Seconds after which another try can succeed; undefined for `locked`, which only a stronger factor undoes. */
  readonly retryAfterSeconds: number | undefined

  constructor(reason: ApprovalLimitedError['reason'], retryAfterSeconds?: number) {
    super(`no approval was started: ${reason}`)
    this.reason = reason
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** No message is sent: too many went to that person or number, came from that address, or were sent in all. The provider was not asked. */
export class SendLimitedError extends ApprovalError {
  readonly code = 'ERR_SEND_LIMITED'
  /** What Express answers with. */
  readonly status = 429
  /** Which limit it was. For the log: it tells the caller something about others. */
  readonly scope: 'address' | 'recipient' | 'prefix' | 'country' | 'total'
  readonly retryAfterSeconds: number

  constructor(scope: SendLimitedError['scope'], retryAfterSeconds: number) {
    super(`no message was sent: the limit for this ${scope === 'total' ? 'application' : scope} is reached`)
    this.scope = scope
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/**
 * A factor could not be proved because its provider did not answer as it should: nobody gets in. What
 * happened is in `cause`. Made where an error goes to Express, whose own error page would otherwise answer with the
 * provider's status (a 404 of the provider is no 404 of the application).
 */
export class FactorUnavailableError extends ApprovalError {
  readonly code = 'ERR_FACTOR_UNAVAILABLE'
  /** What Express answers with. */
  readonly status = 503

  constructor(options: { cause: unknown }) {
    super('a factor could not be checked: its provider did not answer as it should; nobody was let in', options)
  }
}

/**
 * A mail was understood and refused: the address does not exist, or there is no such template. The gateway itself is well,
 * and another one may take the mail.
 */
export class MailRefusedError extends ApprovalError {
  readonly code = 'ERR_MAIL_REFUSED'
  readonly gateway: string

  constructor(gateway: string, reason: string) {
    super(`${gateway} refused a mail: ${reason}`)
    this.gateway = gateway
  }
}

/** A store could not be read or written. Callers fail closed. */
export class StoreUnavailableError extends ApprovalError {
  readonly code = 'ERR_STORE_UNAVAILABLE'
}

/** A store with a fixed capacity is full. Nothing was written. */
export class StoreFullError extends ApprovalError {
  readonly code = 'ERR_STORE_FULL'
}

/** The application mounted something in a way that cannot work; the message says how to mount it. */
export class ConfigurationError extends ApprovalError {
  readonly code = 'ERR_CONFIGURATION'
}

/** The sandbox could not do what was asked: no such push, already answered, nothing arrived in time, a link it can't read. */
export class SandboxError extends ApprovalError {
  readonly code = 'ERR_SANDBOX'
  readonly reason: 'not-found' | 'conflict' | 'timeout' | 'invalid' | 'closed'

  constructor(reason: SandboxError['reason'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.reason = reason
  }
}

/** All errors that this package throws on purpose, for an exhaustive `switch (error.code)`. */
export type AnyApprovalError =
  | InvalidOptionError
  | InvalidInputError
  | ProviderRejectedError
  | ProviderRateLimitedError
  | ProviderProtocolError
  | ProviderTimeoutError
  | ProviderUnreachableError
  | ClientCertificateError
  | ServerCertificateError
  | PassByMeServiceError
  | ApprovalNotFoundError
  | ApprovalNotRedeemableError
  | ApprovalLimitedError
  | SendLimitedError
  | FactorUnavailableError
  | MailRefusedError
  | StoreUnavailableError
  | StoreFullError
  | ConfigurationError
  | SandboxError
  | SafeBoxOutcomeUnknownError
  | AttachmentCorruptedError
  | AttachmentRefusedError

/** The `code` of every error of this package. */
export type ErrorCode = AnyApprovalError['code']

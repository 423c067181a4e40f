import { inspect } from 'node:util'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../../runtime.js'
import { encodeSegment } from '../http.js'
import { Connection } from './connection.js'
import { clientOptions, type SendSecureClientOptions } from './options.js'
import { Transfers } from './transfers.js'
import { requireUserId } from './user-token.js'

/** What every method takes at its end. */
export interface CallOptions {
  /** Abandons the call; a promise is rejected with the signal's reason. What the service did already stays done. */
  readonly signal?: AbortSignal | undefined
}

/** What the groups of operations share. */
export abstract class CallsBase {
  protected readonly connection: Connection
  protected readonly transfers: Transfers
  protected readonly runtime: Runtime
  protected readonly logger: Logger
  readonly #enterprise: string
  readonly #userId: number | string | undefined
  readonly #endpoint: string | undefined

  /** @throws {@link InvalidOptionError} */
  constructor(options: SendSecureClientOptions) {
    const parsed = clientOptions(options)
    const { idleTimeoutMs, answerTimeoutMs, uploadRetries, allowPrivateNetwork, userId, ...settings } = parsed
    this.runtime = resolveRuntime(parsed.runtime)
    this.logger = parsed.logger ?? silentLogger
    this.connection = new Connection(settings, 'SendSecureClient')
    this.transfers = new Transfers({
      connectTimeoutMs: parsed.connectTimeoutMs ?? 5000,
      idleTimeoutMs: idleTimeoutMs ?? 60_000,
      answerTimeoutMs: answerTimeoutMs ?? 300_000,
      retries: uploadRetries ?? 2,
      allowPrivate: allowPrivateNetwork ?? this.connection.isLocal,
      tls: parsed.tls,
      runtime: this.runtime,
      logger: this.logger,
    })
    this.#enterprise = encodeSegment('enterpriseAccount', parsed.enterpriseAccount)
    this.#userId = userId
    this.#endpoint = parsed.endpoint
  }

  /** Closes idle connections. The client must not be used afterwards. */
  close(): void {
    this.connection.close()
  }

  toJSON(): object {
    return { enterpriseAccount: decodeURIComponent(this.#enterprise), endpoint: this.#endpoint }
  }

  [inspect.custom](): string {
    return `${this.constructor.name} ${inspect(this.toJSON())}`
  }

  protected get enterprisePath(): string {
    return `/api/v2/enterprises/${this.#enterprise}`
  }

  protected get userPath(): string {
    return `${this.enterprisePath}/users/${encodeSegment('userId', requireUserId(this.#userId))}`
  }
}

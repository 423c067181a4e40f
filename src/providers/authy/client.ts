import { inspect } from 'node:util'
import { z } from 'zod'
import type { SendLimits } from '../../approval/send-limits.js'
import { InvalidOptionError } from '../../errors.js'
import { objectWith, parseOptions } from '../../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../../runtime.js'
import { HttpTransport, tlsOption, transportOptionShape, type TlsOptions } from '../http.js'
import { AuthyApi, describeAuthyError } from './api.js'
import { AuthyApplication } from './application.js'
import { AuthyOneTouch } from './one-touch.js'
import { AuthyPhones } from './phones.js'
import { AuthyTokens } from './tokens.js'
import { AuthyUsers } from './users.js'
import { isSandboxApiKey } from './wire-sandbox.js'

/** How to reach the Authy API. */
export interface AuthyClientOptions {
  /** The application's production API key. Sent in a header only. */
  readonly apiKey: string
  /** Default `https://api.authy.com`. `http:` only on loopback (the sandbox). */
  readonly baseUrl?: string | undefined
  /** Deadline of a call with all its tries, in milliseconds. Default 10 s. */
  readonly timeoutMs?: number | undefined
  /** Deadline of a new connection, in milliseconds. Default 5 s. */
  readonly connectTimeoutMs?: number | undefined
  /** Longest answer, in bytes. Default 1 MiB. */
  readonly maxResponseBytes?: number | undefined
  /** Added certificate authorities, for a proxy that inspects TLS. */
  readonly tls?: Pick<TlsOptions, 'ca'> | undefined
  /** What `createSendLimits` makes: asked before every text message, call, mail and phone verification. Default: no limits of ours. */
  readonly sendLimits?: SendLimits | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

const options = z.strictObject({
  ...transportOptionShape,
  apiKey: z
    .string({ error: 'give the API key of the application, as text' })
    .regex(/^[\x21-\x7e]{1,256}$/, { error: 'give the API key of the application: no blanks, not empty' }),
  tls: tlsOption.pick({ ca: true }).optional(),
  sendLimits: objectWith<SendLimits>(['admit'], 'give what createSendLimits makes').optional(),
})

/**
 * The Authy API: one method a call, in groups.
 *
 * Every method checks its input first (`InvalidInputError`, nothing was sent) and takes an optional last `{ signal }`. Answers are
 * validated: anything but the documented success is an error. Besides, a method throws what the transport throws: `ProviderTimeoutError`,
 * `ProviderUnreachableError`, `ProviderRateLimitedError`, `ProviderProtocolError`, and `ProviderRejectedError` with the service's
 * code in `providerCode`, or the reason of the caller's own signal.
 *
 * @example
 * const authy = new AuthyClient({ apiKey: process.env.AUTHY_API_KEY })
 * const { authyId } = await authy.users.create({ email: 'ana@example.com', phone: '911 234 567', countryCode: 'PT' })
 * const verdict = await authy.tokens.verify(authyId, '1234567')
 */
export class AuthyClient {
  readonly users: AuthyUsers
  readonly tokens: AuthyTokens
  readonly phones: AuthyPhones
  readonly oneTouch: AuthyOneTouch
  readonly app: AuthyApplication
  readonly #transport: HttpTransport

  /** @throws {@link InvalidOptionError} */
  constructor(input: AuthyClientOptions) {
    const {
      apiKey,
      baseUrl = 'https://api.authy.com',
      sendLimits,
      ...rest
    } = parseOptions(options, input, 'AuthyClient')
    refuseSandboxKey(apiKey, baseUrl)
    const settings = {
      ...rest,
      baseUrl,
      provider: 'authy',
      headers: { 'x-authy-api-key': apiKey },
      secrets: [apiKey],
      describeError: describeAuthyError,
    }
    this.#transport = new HttpTransport(settings, 'AuthyClient')
    const api = new AuthyApi(this.#transport, sendLimits)
    this.users = new AuthyUsers(api, apiKey, resolveRuntime(rest.runtime).now)
    this.tokens = new AuthyTokens(api, rest.logger ?? silentLogger)
    this.phones = new AuthyPhones(api)
    this.oneTouch = new AuthyOneTouch(api)
    this.app = new AuthyApplication(api)
  }

  /** Closes the connections that are kept alive. Calls that are under way fail. */
  close(): void {
    this.#transport.close()
  }

  toJSON(): object {
    return this.#transport.toJSON()
  }

  [inspect.custom](): string {
    return `AuthyClient ${inspect(this.toJSON())}`
  }
}

// Forgotten configuration: a deployment that still has the key of a sandbox would fail at the first login.
function refuseSandboxKey(apiKey: string, baseUrl: string): void {
  if (isSandboxApiKey(apiKey) && baseUrl.startsWith('https://api.authy.com'))
    throw new InvalidOptionError(
      'apiKey',
      'AuthyClient: this is the key of a sandbox; give the production key, or the baseUrl of the sandbox',
    )
}

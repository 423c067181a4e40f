import { z } from 'zod'
import { InvalidOptionError } from '../../errors.js'
import { parseOptions } from '../../options.js'
import type { Logger, Runtime } from '../../runtime.js'
import { tlsOption, transportOptionShape, type TlsOptions } from '../http.js'
import { sandboxTokenPrefix } from './wire.js'

/** Where the vendor's own portal is. */
export const DEFAULT_ENDPOINT = 'https://portal.xmedius.com'

/** Settings of the network that both {@link SendSecureClient} and {@link getUserToken} take. */
export interface ConnectionOptions {
  /** The enterprise account's permanent name ("permalink"). */
  readonly enterpriseAccount: string
  /** The portal. `https:`, or `http:` on loopback for a sandbox. Default `https://portal.xmedius.com`. */
  readonly endpoint?: string | undefined
  /** Deadline of every call but transfers of files, in milliseconds. Default 30 s. */
  readonly timeoutMs?: number | undefined
  /** Deadline of a new connection, in milliseconds. Default 5 s. */
  readonly connectTimeoutMs?: number | undefined
  /** Authorities to trust beside the built-in ones. */
  readonly tls?: Pick<TlsOptions, 'ca'> | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

export interface SendSecureClientOptions extends ConnectionOptions {
  /** A user's token from {@link getUserToken}, or an access token that an administrator issued. */
  readonly token: string
  /** Language of the service's texts. Default `en`. */
  readonly locale?: string | undefined
  /** The user's id, from {@link getUserToken}. User settings and favorites need it. */
  readonly userId?: number | string | undefined
  /** Longest time in which not one byte of a transfer moves, in milliseconds. Default 60 s. */
  readonly idleTimeoutMs?: number | undefined
  /** Longest wait for the answer to an upload, after its last byte, in milliseconds. Default 5 minutes: the service may scan the file. */
  readonly answerTimeoutMs?: number | undefined
  /** Further tries of a failed upload whose source can be read again. Default 2. */
  readonly uploadRetries?: number | undefined
  /**
   * Whether upload and download addresses that the service gives may lead to private or loopback addresses: for a service
   * on your own network. Default: only if the endpoint itself is on loopback.
   */
  readonly allowPrivateNetwork?: boolean | undefined
}

const milliseconds = z.int({ error: 'give whole milliseconds' }).min(1)
const { baseUrl: _baseUrl, maxResponseBytes: _maxResponseBytes, ...networkShape } = transportOptionShape

/** The options that a connection checks; a client adds its own. */
export const connectionShape = {
  ...networkShape,
  enterpriseAccount: z.string({ error: 'give the permanent name of the enterprise account' }).min(1),
  endpoint: z.string({ error: 'give a URL' }).optional(),
  tls: tlsOption.pick({ ca: true }).optional(),
}

const clientSchema = z.strictObject({
  ...connectionShape,
  // No control characters: it becomes a header.
  token: z.string({ error: 'give the token' }).regex(/^[\x21-\x7e]+$/, { error: 'give a token without spaces' }),
  locale: z
    .string()
    .regex(/^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/, { error: 'give a language such as en or fr' })
    .optional(),
  userId: z.union([z.int(), z.string().regex(/^\d+$/)], { error: 'give the number of the user' }).optional(),
  idleTimeoutMs: milliseconds.optional(),
  answerTimeoutMs: milliseconds.optional(),
  uploadRetries: z.int().min(0).max(10).optional(),
  allowPrivateNetwork: z.boolean().optional(),
})

/** @throws {@link InvalidOptionError} */
export function clientOptions(options: SendSecureClientOptions): z.output<typeof clientSchema> {
  const parsed = parseOptions(clientSchema, options, 'SendSecureClient')
  checkEndpoint(parsed.endpoint, 'SendSecureClient')
  refuseSandboxToken(parsed.token, parsed.endpoint ?? DEFAULT_ENDPOINT)
  return parsed
}

// Forgotten configuration: a deployment that still has the token of a sandbox would fail at the first document.
function refuseSandboxToken(token: string, endpoint: string): void {
  if (token.startsWith(sandboxTokenPrefix) && new URL(endpoint).origin === DEFAULT_ENDPOINT)
    throw new InvalidOptionError(
      'token',
      'SendSecureClient: this is the token of a sandbox; give one of the service, or the endpoint of the sandbox',
    )
}

/** The transport names its own option `baseUrl`; whoever gave `endpoint` must read about that. */
export function checkEndpoint(endpoint: string | undefined, owner: string): void {
  if (endpoint !== undefined && !URL.canParse(endpoint))
    throw new InvalidOptionError('endpoint', `${owner}: option 'endpoint' is not an absolute URL`)
}

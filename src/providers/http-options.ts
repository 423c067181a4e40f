import { z } from 'zod'
import { InvalidOptionError } from '../errors.js'
import { functionOption, loggerOption, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, silentLogger, type FetchLike, type Logger, type Runtime } from '../runtime.js'
import { NodeFetch } from './http-agent.js'
import { CircuitBreaker } from './http-breaker.js'
import type { HttpResponse } from './http-response.js'
import { RetryBudget } from './http-retry.js'
import { secureContext, tlsOption, type TlsOptions } from './http-tls.js'
import type { HttpHeaders, ProviderComplaint } from './http-types.js'

/** Settings of a transport. One transport a client: agents, retry budget and circuit belong to it. */
export interface HttpTransportOptions {
  /** Name for errors, logs and events: `authy`. */
  readonly provider: string
  /** Where the provider is, without query. `https:`, or `http:` on loopback only. A trailing slash is ignored. */
  readonly baseUrl: string
  /** Sent with every request to the origin of `baseUrl`: the provider's key. */
  readonly headers?: HttpHeaders | undefined
  /** Deadline of a call with all its tries and the whole answer, in milliseconds. Default 10 s. */
  readonly timeoutMs?: number | undefined
  /** Deadline of a new connection (name, TCP, TLS), in milliseconds. Default 5 s. Not with a `runtime.fetch` of your own. */
  readonly connectTimeoutMs?: number | undefined
  /** Longest answer, in bytes. Default 1 MiB. */
  readonly maxResponseBytes?: number | undefined
  /** Client certificate and added authorities. Not with a `runtime.fetch` of your own. */
  readonly tls?: TlsOptions | undefined
  /** Further tries of a request that is marked repeatable. Default 2. */
  readonly retries?: number | undefined
  /** Failures in a row that open the circuit (default 5), and for how many milliseconds (default 5 s). */
  readonly breaker?: { readonly failures?: number | undefined; readonly openMs?: number | undefined } | undefined
  /** Values that may stand in no error: keys, passwords. */
  readonly secrets?: readonly string[] | undefined
  /** Reads the provider's own code and sentence from an answer that is a refusal. */
  readonly describeError?: ((response: HttpResponse) => ProviderComplaint | undefined) | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

/** Milliseconds that a timer can hold. */
const duration = z
  .int({ error: 'give whole milliseconds' })
  .min(1)
  .max(2 ** 31 - 1)

/** Options that every provider client takes and hands on to its transport. Spread it into the client's own schema. */
export const transportOptionShape = {
  baseUrl: z.string({ error: 'give a URL' }).optional(),
  timeoutMs: duration.optional(),
  connectTimeoutMs: duration.optional(),
  maxResponseBytes: z.int().min(1024).optional(),
  runtime: runtimeOption,
  logger: loggerOption,
}

const schema = z.strictObject({
  ...transportOptionShape,
  provider: z.string().regex(/^[a-z][a-z0-9-]*$/),
  baseUrl: z.string({ error: 'give a URL' }),
  headers: z.record(z.string().regex(/^[a-z0-9-]+$/i), z.string()).optional(),
  tls: tlsOption.optional(),
  retries: z.int().min(0).max(10).optional(),
  breaker: z.strictObject({ failures: z.int().min(1).optional(), openMs: duration.optional() }).optional(),
  secrets: z.array(z.string()).optional(),
  describeError: functionOption<NonNullable<HttpTransportOptions['describeError']>>().optional(),
})

/** What a transport works with. */
export interface TransportSettings {
  readonly provider: string
  readonly baseUrl: string
  readonly origin: string
  readonly headers: HttpHeaders
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
  readonly maxResponseBytes: number
  readonly retries: number
  readonly secrets: readonly string[]
  readonly describeError: (response: HttpResponse) => ProviderComplaint | undefined
  readonly fetch: FetchLike
  readonly close: () => void
  readonly breaker: CircuitBreaker
  readonly budget: RetryBudget
  readonly runtime: Runtime
  readonly logger: Logger
}

/** Checks the options and fills in the defaults. */
export function transportSettings(input: HttpTransportOptions, owner: string): TransportSettings {
  const options = parseOptions(schema, input, owner)
  const runtime = resolveRuntime(options.runtime)
  const base = parseBaseUrl(options.baseUrl, owner)
  const connectTimeoutMs = options.connectTimeoutMs ?? 5000
  const { failures = 5, openMs = 5000 } = options.breaker ?? {}
  return {
    provider: options.provider,
    ...base,
    headers: lowerCase(options.headers ?? {}),
    timeoutMs: options.timeoutMs ?? 10_000,
    connectTimeoutMs,
    maxResponseBytes: options.maxResponseBytes ?? 1024 * 1024,
    retries: options.retries ?? 2,
    secrets: options.secrets ?? [],
    describeError: options.describeError ?? (() => undefined),
    ...network(runtime.fetch, connectTimeoutMs, options, owner),
    breaker: new CircuitBreaker({ failures, openMs }, runtime.now),
    budget: new RetryBudget(),
    runtime,
    logger: options.logger ?? silentLogger,
  }
}

function network(
  custom: FetchLike | undefined,
  connectTimeoutMs: number,
  options: { readonly tls?: TlsOptions | undefined; readonly connectTimeoutMs?: number | undefined },
  owner: string,
): { fetch: FetchLike; close: () => void } {
  if (!custom) {
    const own = new NodeFetch(connectTimeoutMs, options.tls && secureContext(owner, options.tls))
    return { fetch: own.fetch, close: () => own.close() }
  }
  // The global fetch would drop an agent with a client certificate or an added authority without a word.
  const ignored = options.tls ? 'tls' : options.connectTimeoutMs === undefined ? undefined : 'connectTimeoutMs'
  if (ignored !== undefined)
    throw new InvalidOptionError(
      ignored,
      `${owner}: option '${ignored}' has no effect on a runtime.fetch of your own; give that fetch the setting, or leave one out`,
    )
  return { fetch: custom, close: () => undefined }
}

function parseBaseUrl(text: string, owner: string): { baseUrl: string; origin: string } {
  const refuse = (why: string): InvalidOptionError =>
    new InvalidOptionError('baseUrl', `${owner}: option 'baseUrl' ${why}`)
  if (!URL.canParse(text)) throw refuse('is not an absolute URL')
  const url = new URL(text)
  if (url.username || url.password) throw refuse('must not hold credentials')
  if (url.search || url.hash || text.includes('?') || text.includes('#'))
    throw refuse('must not have a query or a fragment')
  if (!isSafeScheme(url)) throw refuse('must be https: (or http: on the loopback interface)')
  return { baseUrl: url.origin + url.pathname.replace(/\/+$/, ''), origin: url.origin }
}

/** Keys and codes go over TLS, or do not leave the machine. */
export function isSafeScheme(url: URL): boolean {
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname)
}

/** Header names in lower case, so that one given twice is one. */
export function lowerCase(headers: HttpHeaders): HttpHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

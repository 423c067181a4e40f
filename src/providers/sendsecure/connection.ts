import { z } from 'zod'
import type { JsonValue } from '../../approval/json.js'
import { InvalidOptionError, ProviderProtocolError } from '../../errors.js'
import { encodeSegment, HttpTransport, type HttpQuery, type HttpResponse } from '../http.js'
import { rejected } from './complaint.js'
import { DEFAULT_ENDPOINT, type ConnectionOptions } from './options.js'
import { parsedJson } from './reading.js'

const PROVIDER = 'sendsecure'

/** One call on the application. */
export interface ApplicationCall {
  /** The documented name of the operation, for logs. */
  readonly operation: string
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Encoded, beginning with `/api/v2/`. */
  readonly path: string
  readonly query?: HttpQuery | undefined
  readonly json?: JsonValue | undefined
  readonly signal?: AbortSignal | undefined
  /** Whether the same call twice does no harm. Default: a GET. */
  readonly repeatable?: boolean | undefined
}

/** What a connection is made of. */
export interface ConnectionSettings extends ConnectionOptions {
  readonly token?: string | undefined
  readonly locale?: string | undefined
}

/** Portal and application: finds the one by the other, and sends the token to the application only. */
export class Connection {
  readonly #settings: ConnectionSettings
  readonly #endpoint: string
  readonly #owner: string
  readonly #portal: HttpTransport
  #application: Promise<{ readonly base: URL; readonly transport: HttpTransport }> | undefined

  /** @throws {@link InvalidOptionError} */
  constructor(settings: ConnectionSettings, owner: string) {
    this.#settings = settings
    this.#owner = owner
    this.#endpoint = settings.endpoint ?? DEFAULT_ENDPOINT
    this.#portal = this.#transport(this.#endpoint, {})
  }

  /** Whether the portal is on this machine: then everything may be. */
  get isLocal(): boolean {
    return new URL(this.#endpoint).protocol === 'http:'
  }

  /** Calls the application, with locale and token. Resolves with an answer that is a success. */
  async call(call: ApplicationCall): Promise<HttpResponse> {
    const { transport } = await this.application(call.signal)
    const { locale = 'en' } = this.#settings
    const response = await transport.request({
      operation: call.operation,
      method: call.method,
      path: call.path,
      query: { ...call.query, locale },
      ...(call.json === undefined
        ? call.method === 'PATCH' && { body: '', headers: { 'content-type': 'application/json' } }
        : { json: call.json }),
      signal: call.signal,
      repeatable: call.repeatable ?? call.method === 'GET',
    })
    if (response.status >= 400) throw this.#rejected(call, response)
    return response
  }

  /** Calls the application and reads its answer. */
  async read<S extends z.ZodType>(call: ApplicationCall, schema: S): Promise<z.output<S>> {
    const response = await this.call(call)
    const { data } = refusal.safeParse(parsedJson(textOf(response)))
    // A refusal, whatever the status says.
    if (data) throw this.#rejected(call, response)
    return readAnswer(response, schema)
  }

  /** The application's address, with a slash at its end. Looked up once; callers at the same time share the look-up. */
  async application(signal?: AbortSignal): Promise<{ readonly base: URL; readonly transport: HttpTransport }> {
    // No caller's signal goes into the look-up: it is everybody's. Each waits for it with a signal of their own.
    this.#application ??= this.#discover().catch((error: unknown) => {
      this.#application = undefined
      throw error
    })
    return withSignal(this.#application, signal)
  }

  /** Looks up an address on the portal: plain text, and never with a token. */
  async lookUp(service: 'sendsecure/server/url' | 'portal/host', signal?: AbortSignal): Promise<URL> {
    const enterprise = encodeSegment('enterpriseAccount', this.#settings.enterpriseAccount)
    const path = `/services/${enterprise}/${service}`
    const response = await this.#portal.request({
      operation: service === 'portal/host' ? 'portal_host' : 'server_url',
      method: 'GET',
      path,
      headers: { accept: 'text/plain' },
      signal,
      repeatable: true,
    })
    if (response.status >= 400)
      throw rejected({ method: 'GET', path, status: response.status, body: textOf(response), secrets: [] })
    return this.trustedUrl(response.text().trim(), 'the address that the portal gave')
  }

  /** An address that a server gave us: `https:`, or `http:` on loopback if the endpoint is such a one itself. */
  trustedUrl(text: string, what: string, base?: URL): URL {
    const refuse = (why: string): ProviderProtocolError => new ProviderProtocolError(PROVIDER, `${what} ${why}`)
    if (!URL.canParse(text, base?.href)) throw refuse('is not an absolute URL')
    const url = new URL(text, base)
    if (url.username || url.password) throw refuse('holds credentials')
    const plain = this.isLocal && url.protocol === 'http:' && isLoopback(url.hostname)
    if (url.protocol !== 'https:' && !plain) throw refuse('is not https:')
    return url
  }

  /** Sends a POST to the portal. */
  async postToPortal(
    host: URL,
    json: JsonValue,
    secrets: readonly string[],
    signal?: AbortSignal,
  ): Promise<HttpResponse> {
    return this.#portal.request({
      operation: 'user_token',
      method: 'POST',
      url: `${host.href.replace(/\/+$/, '')}/api/user_token`,
      json,
      secrets,
      signal,
    })
  }

  close(): void {
    this.#portal.close()
    this.#application?.then(({ transport }) => transport.close()).catch(() => undefined)
  }

  #rejected({ method, path }: ApplicationCall, response: HttpResponse): Error {
    const { token } = this.#settings
    const secrets = token === undefined ? [] : [token]
    return rejected({ method, path, status: response.status, body: textOf(response), secrets })
  }

  async #discover(): Promise<{ base: URL; transport: HttpTransport }> {
    const found = await this.lookUp('sendsecure/server/url')
    if (found.search || found.hash)
      throw new ProviderProtocolError(PROVIDER, 'the address that the portal gave has a query')
    const base = new URL(`${found.origin}${found.pathname.replace(/\/+$/, '')}/`)
    const { token } = this.#settings
    return { base, transport: this.#transport(base.href, token === undefined ? {} : { 'authorization-token': token }) }
  }

  #transport(baseUrl: string, headers: Readonly<Record<string, string>>): HttpTransport {
    const { token, timeoutMs = 30_000, connectTimeoutMs, tls, runtime, logger } = this.#settings
    try {
      return new HttpTransport(
        {
          provider: PROVIDER,
          baseUrl,
          headers,
          timeoutMs,
          connectTimeoutMs,
          ...(tls && { tls }),
          // A list of 1000 SafeBoxes is about 1 MiB.
          maxResponseBytes: 8 * 1024 * 1024,
          secrets: token === undefined ? [] : [token],
          describeError: (response) => describe(textOf(response)),
          ...(runtime && { runtime }),
          ...(logger && { logger }),
        },
        this.#owner,
      )
    } catch (error) {
      if (error instanceof InvalidOptionError && error.option === 'baseUrl')
        throw new InvalidOptionError('endpoint', error.message.replaceAll("'baseUrl'", "'endpoint'"))
      throw error
    }
  }
}

/** Reads a body with a schema; names the field that is wrong, never its value. */
export function readAnswer<S extends z.ZodType>(response: HttpResponse, schema: S): z.output<S> {
  const result = schema.safeParse(response.json())
  if (result.success) return result.data
  const field = result.error.issues[0]?.path.map(String).join('.') ?? ''
  const what =
    field === '' ? 'the answer is not what is documented' : `the answer's field ${field} is not what is documented`
  throw new ProviderProtocolError(PROVIDER, what, { status: response.status })
}

/** Whatever the body is, as text: refusals come from proxies too. */
export function textOf(response: Pick<HttpResponse, 'bytes'>): string {
  return new TextDecoder().decode(response.bytes)
}

const refusal = z.looseObject({ result: z.literal(false) })

const complaint = z.looseObject({
  message: z.string().optional(),
  error: z.string().optional(),
  code: z.int().optional(),
})

// Any sentence of the service's own makes it an answer of the service, not of something in front of it.
function describe(body: string): { code: string; message: string } | undefined {
  const result = complaint.safeParse(parsedJson(body))
  const message = result.data?.message ?? result.data?.error
  return message === undefined ? undefined : { code: String(result.data?.code ?? 'none'), message }
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

async function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  signal.throwIfAborted()
  let onAbort = (): void => undefined
  const aborted = new Promise<void>((resolve) => {
    onAbort = () => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    const first = await Promise.race([promise.then((value) => ({ value })), aborted])
    if (first) return first.value
    throw signal.reason
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

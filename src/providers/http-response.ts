import { inspect } from 'node:util'
import { ProviderProtocolError } from '../errors.js'
import type { FetchResponse } from '../runtime.js'
import { quote } from './http-redact.js'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A complete answer. Printing it shows no body: what providers answer may be a secret. */
export class HttpResponse {
  readonly status: number
  readonly headers: FetchResponse['headers']
  /** The body as it came. */
  readonly bytes: Uint8Array
  readonly #provider: string
  readonly #secrets: readonly string[]

  constructor(
    { provider, secrets }: { readonly provider: string; readonly secrets: readonly string[] },
    { status, headers }: Pick<FetchResponse, 'status' | 'headers'>,
    bytes: Uint8Array,
  ) {
    this.#provider = provider
    this.#secrets = secrets
    this.status = status
    this.headers = headers
    this.bytes = bytes
  }

  /** Text out of this answer, made fit for an error: one short line, without the secrets of the client and of the call. */
  quote(text: unknown, secrets: readonly string[] = []): string | undefined {
    return quote(text, [...this.#secrets, ...secrets])
  }

  /**
   * The body as UTF-8.
   *
   * @throws {@link ProviderProtocolError} if it isn't.
   */
  text(): string {
    try {
      return utf8.decode(this.bytes)
    } catch {
      throw new ProviderProtocolError(this.#provider, 'the answer is not UTF-8', { status: this.status })
    }
  }

  /**
   * The body, parsed. Nothing is known about the value: read it with a schema.
   *
   * @param options - `anyContentType` for a provider that labels JSON as something else.
   * @throws {@link ProviderProtocolError} if it isn't labelled as JSON, or isn't JSON.
   */
  json(options: { readonly anyContentType?: boolean } = {}): unknown {
    const type = this.headers.get('content-type') ?? ''
    if (!options.anyContentType && !/^application\/(?:[\w.-]+\+)?json *(?:;|$)/i.test(type))
      throw new ProviderProtocolError(this.#provider, 'the answer is not labelled as JSON', { status: this.status })
    const text = this.text()
    try {
      const value: unknown = JSON.parse(text)
      return value
    } catch {
      // No cause: the parser's message quotes the body.
      throw new ProviderProtocolError(this.#provider, 'the answer is not JSON', { status: this.status })
    }
  }

  toJSON(): object {
    return { status: this.status, bytes: this.bytes.length }
  }

  [inspect.custom](): string {
    return `HttpResponse { status: ${this.status}, bytes: ${this.bytes.length} }`
  }
}

/** An answer whose body is still coming. Read it to its end, or call `cancel`; at the deadline it fails by itself. */
export interface HttpStream {
  readonly status: number
  readonly headers: FetchResponse['headers']
  /** The body, once. Fails like the call itself: deadline, abort, size, lost connection. */
  readonly body: AsyncIterable<Uint8Array>
  /** Takes the rest of the body into memory. */
  read(): Promise<HttpResponse>
  /** Lets go of the connection. */
  cancel(): void
}

import { z } from 'zod'
import type { CallOptions } from '../../approval/channel.js'
import { ProviderRejectedError } from '../../errors.js'
import { encodeSegment, type HttpQuery, type HttpRequest, type HttpResponse } from '../http.js'
import type { Connection } from './connection.js'

type Json = NonNullable<HttpRequest['json']>

/** @internal A call of the management API: what it does, and where. */
export interface ManagementRequest extends CallOptions {
  readonly operation: string
  readonly method: HttpRequest['method']
  /** Segments; a name in an object is encoded, as `{ oid }`. */
  readonly path: readonly (string | Readonly<Record<string, string>>)[]
  readonly query?: HttpQuery
  readonly json?: Json
}

/** @internal Sends calls of the management API and reads their answers. Success is exactly 200. */
export class ManagementCalls {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async read<S extends z.ZodType>(schema: S, request: ManagementRequest): Promise<z.output<S>> {
    const response = await this.#send(request)
    const result = schema.safeParse(response.json())
    if (result.success) return result.data
    const field = result.error.issues[0]?.path.join('.') ?? ''
    throw this.#connection.protocolError(`the answer's field '${field}' is not the documented one`, response.status)
  }

  /** For calls whose answer says nothing but a text that is known in part only. */
  async text(request: ManagementRequest): Promise<string> {
    return this.read(z.string(), request)
  }

  async pdf(request: ManagementRequest): Promise<Uint8Array> {
    const response = await this.#send(request)
    const type = response.headers.get('content-type') ?? ''
    if (!/^application\/pdf *(?:;|$)/i.test(type)) throw this.#connection.protocolError('the answer is no PDF', 200)
    return response.bytes
  }

  async #send({ path, query, method, operation, json, signal }: ManagementRequest): Promise<HttpResponse> {
    const segments = path.map((part) => {
      if (typeof part === 'string') return part
      const [entry = ['id', '']] = Object.entries(part)
      return encodeSegment(entry[0], entry[1], { slashes: true })
    })
    const labels = path.map((part) => (typeof part === 'string' ? part : `{${Object.keys(part).join()}}`))
    const response = await this.#connection.send({
      operation,
      method,
      path: `/${segments.join('/')}`,
      label: `/${labels.join('/')}`,
      query,
      json,
      repeatable: method === 'GET',
      signal,
    })
    if (response.status !== 200) throw new ProviderRejectedError('passbyme-management', { status: response.status })
    return response
  }
}

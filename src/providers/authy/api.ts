import type { z } from 'zod'
import type { JsonObject } from '../../approval/json.js'
import type { Send, SendLimits } from '../../approval/send-limits.js'
import type { HttpQuery, HttpResponse, HttpTransport, ProviderComplaint } from '../http.js'
import type { MethodOptions } from './input.js'
import { refusalBody, wireSuccess } from './wire.js'

/** One call of the API. */
export interface ApiCall<T> {
  readonly operation: string
  readonly method: 'GET' | 'POST'
  /** Encoded path, and the same with names in place of values, for the log. */
  readonly path: string
  readonly label: string
  readonly query?: HttpQuery
  readonly json?: JsonObject
  /** Reads the answer; only asked for a documented success. */
  readonly reply: z.ZodType<T>
  /** Only for reading: whatever sends, checks or uses something up may not be repeated. */
  readonly repeatable?: boolean
  /** The one answer without `success`. */
  readonly withoutSuccess?: boolean
  /** Values that no error may quote. */
  readonly secrets?: readonly string[]
  /** The message that this call has the service send. */
  readonly sends?: Send
  /** A refusal that is a normal result of this call. */
  readonly normal?: (refusal: Refusal) => T | undefined
}

/** An answer that is no success, as far as it can be read. */
export interface Refusal {
  readonly status: number
  readonly body: z.output<typeof refusalBody>
}

/** Sends calls and trusts no answer: a success is HTTP 200, a JSON object, `success`, and the documented fields. */
export class AuthyApi {
  readonly #transport: HttpTransport
  readonly #sendLimits: SendLimits | undefined

  constructor(transport: HttpTransport, sendLimits?: SendLimits) {
    this.#transport = transport
    this.#sendLimits = sendLimits
  }

  async call<T>(call: ApiCall<T>, { signal }: MethodOptions): Promise<T> {
    if (call.sends) await this.#sendLimits?.admit(call.sends)
    const response = await this.#transport.request({
      operation: call.operation,
      method: call.method,
      path: call.path,
      label: call.label,
      query: call.query,
      json: call.json,
      repeatable: call.repeatable,
      secrets: call.secrets,
      signal,
    })
    const normal = call.normal?.(refusalOf(response))
    if (normal !== undefined) return normal
    if (response.status !== 200) throw this.#refused(response)
    return this.#read(call, response)
  }

  #read<T>(call: ApiCall<T>, response: HttpResponse): T {
    const body = response.json()
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      throw this.#transport.protocolError('the answer is not a JSON object', 200)
    const success: unknown = Reflect.get(body, 'success')
    if (!wireSuccess.safeParse(success).success && !(call.withoutSuccess && success === undefined))
      throw success === false || success === 'false'
        ? this.#transport.refusal(response)
        : this.#transport.protocolError("the answer has no usable 'success'", 200)
    const reply = call.reply.safeParse(body)
    if (reply.success) return reply.data
    const field = reply.error.issues[0]?.path.map(String).join('.') ?? ''
    throw this.#transport.protocolError(`the answer's field '${field}' is missing or not as documented`, 200)
  }

  #refused(response: HttpResponse): Error {
    // The service knows 200 and refusals; another 2xx is something in front of it.
    if (response.status < 300)
      return this.#transport.protocolError('the answer has an undocumented status', response.status)
    return this.#transport.refusal(response)
  }

  /** The error for an answer that contradicts the question. */
  contradiction(what: string): Error {
    return this.#transport.protocolError(what, 200)
  }
}

/** The service's code and sentence, for the errors of the transport. */
export function describeAuthyError(response: HttpResponse): ProviderComplaint | undefined {
  const { body } = refusalOf(response)
  const nested: unknown = body.errors?.['message']
  return {
    code: body.error_code ?? undefined,
    message: body.message ?? (typeof nested === 'string' ? nested : undefined),
  }
}

function refusalOf(response: HttpResponse): Refusal {
  const empty = { success: undefined, message: undefined, error_code: undefined, token: undefined, errors: undefined }
  try {
    const body = refusalBody.safeParse(response.json())
    return { status: response.status, body: body.success ? body.data : empty }
  } catch {
    return { status: response.status, body: empty }
  }
}

import { SendSecureRejectedError } from '../../errors.js'
import { quote } from '../http-redact.js'
import { parsedJson } from './reading.js'

const BODY = 4096

interface RefusedCall {
  readonly method: string
  /** The path without ids that are secrets: of an upload only `upload`. */
  readonly path: string
  readonly status: number
  readonly body: string
  /** May stand in no message. */
  readonly secrets: readonly string[]
}

/** Turns any of the forms that a refusal's body takes into one error. */
export function rejected({ method, path, status, body, secrets }: RefusedCall): SendSecureRejectedError {
  // A proxy's page, or nothing: then the status has to say it all.
  const value = parsedJson(body)
  const json: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {}
  const code = json['code']
  return new SendSecureRejectedError(
    {
      status,
      providerCode: typeof code === 'number' || typeof code === 'string' ? String(code) : String(status),
      providerMessage: quote(json['message'] ?? json['error'], secrets),
    },
    { attributes: attributesOf(json['attributes'], secrets), method, path, body: body.slice(0, BODY) },
  )
}

function attributesOf(value: unknown, secrets: readonly string[]): Readonly<Record<string, readonly string[]>> {
  if (typeof value !== 'object' || value === null) return {}
  const entries = Object.entries(value).map(([name, texts]: [string, unknown]) => {
    const list: readonly unknown[] = Array.isArray(texts) ? texts : [texts]
    return [name, list.flatMap((text) => quote(text, secrets) ?? [])] as const
  })
  return Object.fromEntries(entries)
}

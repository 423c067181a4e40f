import type { z } from 'zod'
import { json, type SandboxReply, type SandboxRequest } from '../http-message.js'

const sentences: Readonly<Record<string, string>> = {
  MALFORMED_INPUT: 'The request is malformed.',
  NOT_FOUND: 'There is no such object.',
  FORBIDDEN: 'This certificate may not do that.',
  CERTIFICATE_REVOKED: 'The client certificate was revoked.',
  UNSUPPORTED_API_VERSION: 'The version header is missing or not served.',
  ALREADY_COMPLETED: 'Nobody is pending any more.',
  ALREADY_EXISTS: 'The id is taken.',
  INVALID_SESSION_ID: 'There is no such transaction.',
  NO_DEVICE: 'The user has no device.',
  USER_DISABLED: 'The user is disabled.',
  SERVICE_UNAVAILABLE: 'Try again later.',
}

/** The service's own error: status 420. */
export function serviceError(code: string): SandboxReply {
  return json(420, { code, message: sentences[code] ?? 'Unspecified.' })
}

/** For faults: with a code the service's own error, else a bare status. */
export function errorReply(status: number, code?: string): SandboxReply {
  return code === undefined
    ? json(status, { status })
    : json(status, { code, message: sentences[code] ?? 'Unspecified.' })
}

export const malformed = serviceError('MALFORMED_INPUT')
export const notFound = serviceError('NOT_FOUND')

/** Reads a body as JSON whatever its type says; a POST without parameters may hold nothing, or `[]`. */
export async function readBody<S extends z.ZodType>(
  request: SandboxRequest,
  schema: S,
): Promise<z.output<S> | undefined> {
  const bytes = await request.body(1024 * 1024)
  if (!bytes) return undefined
  try {
    return schema.safeParse(JSON.parse(bytes.toString('utf8'))).data
  } catch {
    return undefined
  }
}

/** A segment of a path, decoded exactly once. */
export function decode(segment: string | undefined): string {
  try {
    return decodeURIComponent(segment ?? '')
  } catch {
    return ''
  }
}

/** A page of a list, as the service writes one. */
export function page(data: readonly object[], total = data.length): object {
  return { recordsTotal: total, recordsFiltered: total, data }
}

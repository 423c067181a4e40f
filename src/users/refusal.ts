import type { JsonValue } from '../approval/json.js'

/** What a route answers. */
export interface Answer {
  readonly status: number
  /** Left out: no bytes at all. */
  readonly body?: JsonValue
  /** Default `application/json`, also of an empty answer: clients of the original cope with that and expect it. */
  readonly contentType?: string
  /** Sent as it is, in place of `body`. */
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer that ends the work on a request. Thrown inside this room only, and never seen outside of it. */
export class Refusal extends Error {
  readonly answer: Answer

  constructor(answer: Answer) {
    super(`HTTP ${answer.status}`)
    this.name = 'Refusal'
    this.answer = answer
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** A problem document (RFC 9457), the form of everything that is not the service's own error. */
export function problem(status: number, detail: string, headers: Readonly<Record<string, string>> = {}): Refusal {
  return new Refusal({
    status,
    contentType: 'application/problem+json',
    body: { type: 'about:blank', title: titles[status] ?? 'Error', status, detail },
    headers,
  })
}

/** The form of the service's own errors: a code and a description, without the status. */
export function refused(status: number, code: string, description: string): Refusal {
  return new Refusal({ status, body: { code, description } })
}

/** 429, saying when to come back. */
export function tooMany(retryAfterSeconds: number): Refusal {
  const seconds = Math.max(1, Math.ceil(retryAfterSeconds))
  return problem(429, 'There were too many requests, come back later', { 'Retry-After': String(seconds) })
}

/** 503, for what is expected to pass. */
export function unavailable(detail: string, retryAfterSeconds = 1): Refusal {
  return problem(503, detail, { 'Retry-After': String(retryAfterSeconds) })
}

export const refusals = {
  authFailure: () => refused(401, 'AuthFailure', 'The email or password is incorrect'),
  accessDenied: () => refused(403, 'AccessDenied', 'Access denied'),
  noSuchUser: (id: string) => refused(400, 'NoSuchUser', `The user with ${id.slice(0, 256)} identifier does not exist`),
  noSuchEmail: (email: string) =>
    refused(400, 'NoSuchUser', `The user with ${email.slice(0, 256)} email does not exist`),
  alreadyExists: () =>
    refused(400, 'AlreadyExists', 'A user already exists with the specified email address or phone number'),
  invalidUser: () => refused(403, 'InvalidUserError', 'The user is not valid or has had access revoked'),
  blacklisted: () => refused(403, 'BlacklistedError', 'Token has a blacklisted jti'),
  missingRole: (role: string) =>
    refused(403, 'MissingRoleError', `This endpoint requires one of the following roles: ['${role}']`),
  reauthenticate: () =>
    refused(403, 'ReauthenticationRequired', 'Sign in again, or give the current password, to change this'),
  invalidPhone: (text: string) => refused(400, 'InvalidPhone', text),
  invalidPhoneCode: () => refused(400, 'InvalidPhoneCode', 'Invalid phone verification code'),
  weakPassword: (text: string) => refused(400, 'WeakPassword', text),
  invalidUrlTemplate: (text: string) => refused(400, 'InvalidUrlTemplate', text),
} as const

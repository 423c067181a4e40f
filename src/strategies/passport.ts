import { Strategy } from 'passport-strategy'
import { ApprovalError, FactorUnavailableError } from '../errors.js'
import type { HttpRequest, HttpResponse } from '../middleware/http-request.js'

/** The request as Passport hands it to a strategy. Under Express it knows its response. */
export interface StrategyRequest extends HttpRequest {
  readonly res?: HttpResponse | undefined
}

/** Reads something of a request. Written as a method, so that a function of Express's own `Request` fits too. */
export type FromStrategyRequest<T> = { read(req: StrategyRequest): T }['read']

/** Looks something up for a subject. */
export type OfSubject<T> = { read(subject: string, req: StrategyRequest): T | Promise<T> }['read']

/**
 * What Passport makes of a strategy: it calls `authenticate` on a copy that has these methods. Described here, so that our
 * declarations need no types of Passport or Express.
 */
export interface PassportStrategy {
  /** The name under which `passport.authenticate` finds it. */
  name?: string
  authenticate(req: StrategyRequest, options?: unknown): void
  success(user: unknown, info?: unknown): void
  fail(challenge: unknown, status: number): void
  redirect(url: string, status?: number): void
  pass(): void
  error(error: Error): void
}

/** `passport-strategy`'s own class, under our description. */
export const PassportBase: new () => PassportStrategy = Strategy

/** What goes to Passport's `error`: an Error, whatever was thrown, and never with the status of a provider's answer on it. */
export function asError(cause: unknown): Error {
  if (!(cause instanceof Error))
    return new Error('a callback of the strategy threw something that is no Error', { cause })
  return isOutage(cause) ? new FactorUnavailableError({ cause }) : cause
}

function isOutage(error: Error): boolean {
  return error instanceof ApprovalError && 'provider' in error
}

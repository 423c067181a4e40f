import type { ProofKind } from '../approval/channel.js'
import type { StrategyRequest } from './passport.js'

/** How the user has just proved themselves. */
export interface FactorProof {
  /** `totp`, `sms`, `call`, `push`, ... */
  readonly factor: string
  /** RFC 8176 values of this factor. */
  readonly amr: readonly string[]
  readonly proof: ProofKind
  /** When: for an approval the time of the decision. */
  readonly at: Date
  /** Id of the approval, for out-of-band factors. */
  readonly approvalId?: string
}

/** `done(error)`, `done(null, false, info?)` or `done(null, user, info?)`. */
export type VerifyDone = (error: unknown, user?: unknown, info?: unknown) => void

/**
 * Finds the user of a subject who has just proved a factor. Either returns (a promise of) the user, or false for none,
 * or takes `done`.
 */
export type VerifyFunction = (subject: string, proof: FactorProof, done: VerifyDone) => unknown

/** The same with `passReqToCallback: true`. Written as a method, so that a function of Express's own `Request` fits too. */
export type VerifyWithRequest = {
  verify(req: StrategyRequest, subject: string, proof: FactorProof, done: VerifyDone): unknown
}['verify']

/** What a verify callback came to. */
export interface Verified {
  readonly user: unknown
  readonly info: unknown
}

/**
 * Calls a verify callback of either style. The first of `done`, a returned promise and a returned user that says
 * something decides; later ones change nothing.
 */
export function callVerify(declaresDone: boolean, verify: (done: VerifyDone) => unknown): Promise<Verified> {
  return new Promise((resolve, reject) => {
    const settle = (user: unknown, info?: unknown): void => {
      resolve({ user, info })
    }
    const done: VerifyDone = (error, user, info) => {
      if (error !== undefined && error !== null) reject(error instanceof Error ? error : new Error(text(error)))
      else settle(user, info)
    }
    const result = verify(done)
    if (isThenable(result)) {
      Promise.resolve(result).then((user) => {
        // An async callback that takes `done` may call it after it has returned; any other has found nobody.
        if (user !== undefined || !declaresDone) settle(user)
      }, reject)
    } else if (result !== undefined) settle(result)
  })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
}

function text(error: unknown): string {
  return typeof error === 'string' ? error : 'the verify callback failed'
}

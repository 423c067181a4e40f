import { OutOfBandBase, type OutOfBandStrategyOptions } from './out-of-band-base.js'
import type { VerifyFunction, VerifyWithRequest } from './verify.js'

/**
 * Proves a factor by a question on the person's own device, over any channel. As the second factor of a two-phase
 * login, for step-up, or (with `subject`) as a first factor.
 *
 * A POST sends the question and is answered as pending. The session holds the approval; the next POST, once the person has
 * decided, finishes the login: the approval is redeemed, once. A denied, expired or failed question is reported once by
 * `fail`; only the POST after that sends another. A GET never sends a question.
 *
 * Outcomes: `success(user, { factor, amr, proof, at, approvalId, assuranceId })`; pending (see `onPending`;
 * `failureRedirect` doesn't apply to it); `fail({ message, reason }, 401 | 403 | 429)` with the reason `no-subject`,
 * `not-enrolled`, `denied`, `expired`, `cancelled`, `failed`, `redeemed`, `not-started`, `cross-site`, `no-user`,
 * `factor-needed`, `login-ended` or one of {@link ApprovalLimitedError}; `error(...)` when the provider or the store can't be
 * reached: nobody gets in.
 */
export class OutOfBandStrategy extends OutOfBandBase {
  constructor(options: OutOfBandStrategyOptions & { readonly passReqToCallback: true }, verify: VerifyWithRequest)
  constructor(options: OutOfBandStrategyOptions & { readonly passReqToCallback?: false }, verify: VerifyFunction)
  constructor(options: OutOfBandStrategyOptions, verify: VerifyFunction | VerifyWithRequest) {
    super(undefined, options, verify)
  }
}

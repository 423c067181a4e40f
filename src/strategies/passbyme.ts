import { OutOfBandBase, type OutOfBandStrategyOptions } from './out-of-band-base.js'
import type { VerifyFunction, VerifyWithRequest } from './verify.js'

/** What {@link PassByMeStrategy} takes: the options of `OutOfBandStrategy`; `channel` may be left out. */
export interface PassByMeStrategyOptions extends Omit<OutOfBandStrategyOptions, 'channel'> {
  /** Default `passbyme`: the name of `passByMeChannel`. */
  readonly channel?: OutOfBandStrategyOptions['channel']
}

/**
 * Proves a factor by a PassBy[ME] authorization. `OutOfBandStrategy` says how it behaves. Its name for Passport is
 * `passbyme`. The reference of a subject is a PassBy[ME] id of theirs.
 *
 * The kind of proof is `compare`: the waiting page shows the approval's `code`, which the phone shows as well.
 *
 * @example
 * passport.use(
 *   new PassByMeStrategy(
 *     {
 *       approvals,
 *       assurances,
 *       reference: (id) => users.passByMeIdOf(id),
 *       message: 'Sign in to the bank?',
 *       waitingPath: '/login/wait/:id',
 *     },
 *     (id) => users.find(id),
 *   ),
 * )
 */
export class PassByMeStrategy extends OutOfBandBase {
  constructor(options: PassByMeStrategyOptions & { readonly passReqToCallback: true }, verify: VerifyWithRequest)
  constructor(options: PassByMeStrategyOptions & { readonly passReqToCallback?: false }, verify: VerifyFunction)
  constructor(options: PassByMeStrategyOptions, verify: VerifyFunction | VerifyWithRequest) {
    super('passbyme', { channel: 'passbyme', ...options }, verify)
  }
}

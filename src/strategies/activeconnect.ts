import { OutOfBandBase, type OutOfBandStrategyOptions } from './out-of-band-base.js'
import type { VerifyFunction, VerifyWithRequest } from './verify.js'

/** What {@link ActiveconnectStrategy} takes: the options of `OutOfBandStrategy`; `channel` may be left out. */
export interface ActiveconnectStrategyOptions extends Omit<OutOfBandStrategyOptions, 'channel'> {
  /** Default `activeconnect`: the name of `activeconnectChannel`. */
  readonly channel?: OutOfBandStrategyOptions['channel']
}

/**
 * Proves a factor by Activeconnect. `OutOfBandStrategy` says how it behaves. Its name for Passport is `activeconnect`.
 * The reference of a subject is the token under which the service knows them.
 *
 * A plain approve or deny; the phone does not show `message`. The remote session stays with the login: see `presence` for
 * keeping it true, and `signOut`, which ends it.
 *
 * @example
 * passport.use(
 *   new ActiveconnectStrategy(
 *     {
 *       approvals,
 *       assurances,
 *       reference: (id) => users.activeconnectTokenOf(id),
 *       message: 'Sign in to the bank?',
 *       waitingPath: '/login/wait/:id',
 *     },
 *     (id) => users.find(id),
 *   ),
 * )
 */
export class ActiveconnectStrategy extends OutOfBandBase {
  constructor(options: ActiveconnectStrategyOptions & { readonly passReqToCallback: true }, verify: VerifyWithRequest)
  constructor(options: ActiveconnectStrategyOptions & { readonly passReqToCallback?: false }, verify: VerifyFunction)
  constructor(options: ActiveconnectStrategyOptions, verify: VerifyFunction | VerifyWithRequest) {
    super('activeconnect', { channel: 'activeconnect', ...options }, verify)
  }
}

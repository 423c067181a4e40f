import { OutOfBandBase, type OutOfBandStrategyOptions } from './out-of-band-base.js'
import type { VerifyFunction, VerifyWithRequest } from './verify.js'

/** What {@link OneTouchStrategy} takes: the options of `OutOfBandStrategy`; `channel` may be left out. */
export interface OneTouchStrategyOptions extends Omit<OutOfBandStrategyOptions, 'channel'> {
  /** Default `authy`: the name of `oneTouchChannel`. */
  readonly channel?: OutOfBandStrategyOptions['channel']
}

/**
 * Proves a factor by an Authy OneTouch push (Authy API reference, OneTouch). `OutOfBandStrategy` says how it
 * behaves. Its name for Passport is `onetouch`. The reference of a subject is the Authy id.
 *
 * A plain approve or deny: NIST SP 800-63B-4 doesn't accept that as an out-of-band factor. Demand `proof: 'transfer'`
 * where that matters.
 *
 * @example
 * passport.use(
 *   new OneTouchStrategy(
 *     {
 *       approvals,
 *       assurances,
 *       channel: 'authy',
 *       reference: (id) => users.authyIdOf(id),
 *       message: 'Sign in to the bank?',
 *       waitingPath: '/login/wait/:id',
 *     },
 *     (id) => users.find(id),
 *   ),
 * )
 */
export class OneTouchStrategy extends OutOfBandBase {
  constructor(options: OneTouchStrategyOptions & { readonly passReqToCallback: true }, verify: VerifyWithRequest)
  constructor(options: OneTouchStrategyOptions & { readonly passReqToCallback?: false }, verify: VerifyFunction)
  constructor(options: OneTouchStrategyOptions, verify: VerifyFunction | VerifyWithRequest) {
    super('onetouch', { channel: 'authy', ...options }, verify)
  }
}

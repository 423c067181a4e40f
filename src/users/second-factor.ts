import type { JsonObject } from '../approval/json.js'
import type { UserRecord } from './user-store.js'

/**
 * A place for a second factor at login; the original has none, so there is none unless this is given. It is asked after
 * the right password and before any token is made.
 */
export interface SecondFactor {
  /** What it is, in the words of RFC 8176 (`['otp']`, `['hwk']`): kept with the session, beside `pwd` and `mfa`. */
  readonly amr?: readonly string[]
  /**
   * Undefined: this user needs none. Else the login is answered with 403 `SecondFactorRequired`, these members beside it,
   * and no token. The client repeats the login with what it was asked for.
   */
  challenge(user: UserRecord): Promise<JsonObject | undefined>
  /** True if `response` (the member `second_factor` of the login's body) proves the factor. It must work once only. */
  verify(user: UserRecord, response: string): Promise<boolean>
}

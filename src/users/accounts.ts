import type { IncomingMessage, ServerResponse } from 'node:http'
import type { UserAdministration } from './administration.js'
import type { Outcome } from './outcome.js'
import type { PublicUser } from './public-user.js'

/** The request behind a call: its client is counted by address, and recognised by its cookies. */
interface FromClient {
  readonly req: IncomingMessage
}

/** The answer to it gets a cookie by which the device is known next time, so that a stranger's tries don't lock it out. */
interface ToClient extends FromClient {
  readonly res?: Pick<ServerResponse, 'appendHeader'> | undefined
}

/**
 * The user service for server-rendered pages, without a detour over HTTP. Whatever is refused comes back as a value with
 * the status and code that the routes answer with; a store or gateway that fails rejects.
 *
 * Text may be what a form sent: what is no text, or too long, is refused like in a body. Sessions are the application's:
 * put `user.sessionKey` into them, and ask {@link UserAccounts.findBySession} at every request.
 */
export interface UserAccounts extends UserAdministration {
  /**
   * Checks an e-mail address and a password, as `POST /auth/login/` does: limits by account, client and device, the same
   * work for unknown addresses, rehashing. No token is made, and `secondFactor` of the options isn't asked: what the
   * application wants beside the password is its own part (`beginSecondFactor`).
   *
   * Refusals: 401 `AuthFailure`, 403 `InvalidUserError` (deactivated, after the right password only), 429, 503.
   *
   * @example
   * new LocalStrategy({ usernameField: 'email', passReqToCallback: true }, (req, email, password, done) => {
   *   service.accounts.verifyPassword({ req, res: req.res, email, password }).then(
   *     (outcome) => (outcome.ok ? done(null, outcome.user) : done(null, false, outcome)),
   *     done,
   *   )
   * })
   */
  verifyPassword(
    login: ToClient & { readonly email: string; readonly password: string },
  ): Promise<Outcome<{ readonly user: PublicUser }>>
  /**
   * Registers somebody, as `POST /user/` does. In the quiet mode there is never a user in the outcome: the rest goes by
   * mail.
   *
   * Refusals: 400 `AlreadyExists`, `WeakPassword`, `InvalidPhoneCode` or `BadRequest`, 429, 503.
   */
  register(
    person: ToClient & {
      readonly email: string
      readonly password?: string | null
      readonly phone?: string | null
      readonly firstName?: string | null
      readonly lastName?: string | null
    },
  ): Promise<Outcome<{ readonly user: PublicUser | undefined }>>
  /** The user whose session key this is; nobody if the user is inactive, or if the user's sessions have ended since. */
  findBySession(sessionKey: unknown): Promise<PublicUser | undefined>
  /**
   * Mails a link with which a new password can be set, as `POST /password/reset/` does: it succeeds for unknown addresses
   * too. `urlTemplate` holds `{token}`, behind an origin of `reset.origins`.
   *
   * Refusals: 400 `InvalidUrlTemplate`, 429.
   */
  requestReset(request: FromClient & { readonly email: string; readonly urlTemplate: string }): Promise<Outcome>
  /**
   * Sets a password against the token of such a link, once. All sessions and tokens of the user end; nobody is signed in.
   *
   * Refusals: 400 `InvalidToken`, `WeakPassword` (the token stays good), 429, 503.
   */
  confirmReset(
    reset: FromClient & { readonly token: string; readonly newPassword: string },
  ): Promise<Outcome<{ readonly user: PublicUser }>>
  /**
   * Changes the password of somebody who is signed in. All sessions and tokens end: the session at hand goes on if it is
   * given the `sessionKey` of the outcome.
   *
   * Refusals: 401 `AuthFailure` (it counts as a failed login), 400 `WeakPassword`, 403 `BlacklistedError` if somebody
   * else was faster, 429, 503.
   */
  changePassword(
    change: FromClient & {
      readonly sessionKey: string
      readonly currentPassword: string
      readonly newPassword: string
    },
  ): Promise<Outcome<{ readonly user: PublicUser }>>
  /**
   * Sends a code to a number. Refusals: 400 `InvalidPhone`, 429, 503.
   * @throws {@link ConfigurationError} without `senders.sms` or `verification.method`.
   */
  sendPhoneCode(request: FromClient & { readonly phone: string; readonly resend?: boolean }): Promise<Outcome>
  /**
   * Checks the code. The right one marks the number as verified for a short while, with `userId` for that user alone, so
   * that it can be registered or set. Refusals: 400 `InvalidPhoneCode`, 429.
   * @throws {@link ConfigurationError} without `senders.sms` or `verification.method`.
   */
  confirmPhone(
    proof: FromClient & { readonly phone: string; readonly code: string; readonly userId?: number },
  ): Promise<Outcome>
  /**
   * Changes what a user may change of themselves. A new address or number should take a fresh proof of who they are:
   * that is the application's to ask for (`requireFactor`).
   *
   * Refusals: 400 `AlreadyExists`, `InvalidPhoneCode` (with `verification.required`), `NoSuchUser` or `BadRequest`.
   */
  update(
    userId: number,
    changes: {
      readonly email?: string
      readonly phone?: string | null
      readonly firstName?: string | null
      readonly lastName?: string | null
    },
  ): Promise<Outcome<{ readonly user: PublicUser }>>
}

import { SandboxError } from '../../errors.js'
import { parseOptions } from '../../options.js'
import type { CallbackAttempt, CallbackSender } from './callback-sender.js'
import { type AuthyCallbackTarget, callbackTarget } from './options.js'
import type { AuthyState, AuthySwitches, NumberInfo } from './state.js'
import type { AuthyUser } from './user.js'

/** A user of the stand-in, as the control interface shows it. */
export interface AuthyUserView {
  readonly id: number
  readonly phone: string
  readonly customId: string | undefined
  readonly emails: readonly string[]
  readonly registered: boolean
  readonly confirmed: boolean
  readonly suspended: boolean
  readonly smsBlocked: boolean
  readonly hasHardToken: boolean
  readonly removed: boolean
}

/** What can be switched for one user. */
export interface AuthyUserChanges {
  /** Whether the person counts as having the app; left alone it follows the devices. */
  readonly registered?: boolean | undefined
  readonly confirmed?: boolean | undefined
  readonly suspended?: boolean | undefined
  readonly smsBlocked?: boolean | undefined
  readonly hasHardToken?: boolean | undefined
}

/** The Authy stand-in, as tests see it. */
export class AuthySandbox {
  /** What the official clients take as their base, without a trailing slash. */
  readonly url: string
  readonly #state: AuthyState
  readonly #callbacks: CallbackSender

  constructor(url: string, state: AuthyState, callbacks: CallbackSender) {
    this.url = url
    this.#state = state
    this.#callbacks = callbacks
  }

  get apiKey(): string {
    return this.#state.settings.apiKey
  }

  /** The application's 24 digits, as callbacks give them in `app_id`. */
  get appId(): string {
    return this.#state.appHexId
  }

  /**
   * Where OneTouch callbacks go. Undefined: nowhere. Holds for answers given from now on. Setting it throws
   * {@link InvalidOptionError} for what is no absolute URL without query.
   */
  get callback(): AuthyCallbackTarget | undefined {
    return this.#callbacks.target
  }

  set callback(target: AuthyCallbackTarget | undefined) {
    this.#callbacks.target = parseOptions(callbackTarget.optional(), target, 'callback')
  }

  /** Every attempt to deliver a callback, oldest first, with what was sent and what came back. */
  callbackAttempts(): readonly CallbackAttempt[] {
    return this.#callbacks.attempts()
  }

  users(): readonly AuthyUserView[] {
    return this.#state.users().map(view)
  }

  /** @throws {@link SandboxError} `not-found`. */
  changeUser(id: number | string, changes: AuthyUserChanges): AuthyUserView {
    const user = this.#state.user(Number(id))
    if (!user) throw new SandboxError('not-found', 'there is no such user')
    if (changes.registered !== undefined) user.registered = changes.registered
    user.confirmed = changes.confirmed ?? user.confirmed
    user.suspended = changes.suspended ?? user.suspended
    user.smsBlocked = changes.smsBlocked ?? user.smsBlocked
    user.hasHardToken = changes.hasHardToken ?? user.hasHardToken
    this.#state.context.hub.changed()
    return view(user)
  }

  /** What is switched on for the whole application. Change its fields. */
  get switches(): AuthySwitches {
    return this.#state.switches
  }

  /** Says what is known about a number (`+` and digits); what is left out stays as it was. */
  setNumber(phone: string, info: { readonly [K in keyof NumberInfo]?: NumberInfo[K] | undefined }): void {
    const known = this.#state.number(phone)
    this.#state.numbers.set(phone, {
      type: info.type ?? known.type,
      provider: info.provider === undefined ? known.provider : info.provider,
      ported: info.ported ?? known.ported,
      provisioned: info.provisioned ?? known.provisioned,
      known: info.known ?? known.known,
    })
  }

  /** What was reported with `register_activity`, oldest first. */
  activities(): readonly { readonly authyId: number; readonly type: string; readonly data: unknown }[] {
    return this.#state.activities
  }

  /** The seed is nobody's business: `console.log(sandbox)` shows addresses only. */
  toJSON(): { url: string } {
    return { url: this.url }
  }
}

function view(user: AuthyUser): AuthyUserView {
  return {
    id: user.id,
    phone: user.phone,
    customId: user.customId,
    emails: [...user.emails],
    registered: user.registered,
    confirmed: user.confirmed,
    suspended: user.suspended,
    smsBlocked: user.smsBlocked,
    hasHardToken: user.hasHardToken,
    removed: user.removedAt !== undefined,
  }
}

import { z } from 'zod'
import { factorOfCode, useCodeOnce } from '../approval/code-use.js'
import { toFactor } from '../approval/factors.js'
import { createGuessLimits, type GuessLimits, type GuessPermit } from '../approval/limits.js'
import type { StateStore } from '../approval/state-store.js'
import { addressOf, bodyField } from '../middleware/http-request.js'
import { deviceOf } from '../middleware/device-cookie.js'
import { functionOption, objectWith, parseOptions } from '../options.js'
import { FactorStrategy, factorStrategyShape, type FactorStrategyOptions } from './factor-strategy.js'
import type { Login } from './factor-login.js'
import type { FromStrategyRequest, OfSubject, StrategyRequest } from './passport.js'
import type { VerifyFunction, VerifyWithRequest } from './verify.js'

/** The part of an AuthyClient that the strategy uses. */
export interface TokenVerifier {
  readonly tokens: {
    verify(authyId: string, token: string, call: { readonly signal: AbortSignal }): Promise<{ readonly valid: unknown }>
  }
}

type AuthyIdOf = OfSubject<string | number | undefined | null>

/** What {@link AuthyTokenStrategy} takes. */
export interface AuthyTokenStrategyOptions extends FactorStrategyOptions {
  readonly client: TokenVerifier
  /** Keeps the used codes, and the counters of wrong ones unless `limits` are given. */
  readonly state: StateStore
  /** The Authy id of a subject; nothing for one who has not enrolled. */
  readonly authyId: AuthyIdOf
  /**
   * Share one with the password form, so that all factors of an account count together; a right password clears no wrong
   * code. Default: `createGuessLimits({ state })`.
   */
  readonly limits?: GuessLimits | undefined
  /** As what a code may count. Leave out `sms` and `call` to switch them off. Default: all three. */
  readonly factors?: readonly ('totp' | 'sms' | 'call')[] | undefined
  /** The form field or JSON property that holds the code. Default `token`. */
  readonly tokenField?: string | undefined
  /** The caller's address, for the limits. Default: `req.ip`, else that of the socket. */
  readonly address?: FromStrategyRequest<string | undefined> | undefined
  /** A value that the browser keeps, for the limits. Default: that of `deviceCookie()`, if it is mounted. */
  readonly device?: FromStrategyRequest<string | undefined> | undefined
  /** The longest that the provider may take, in milliseconds. Default 15,000. */
  readonly timeoutMs?: number | undefined
}

const optionsSchema = z.strictObject({
  ...factorStrategyShape,
  client: z.custom<TokenVerifier>(
    (value) => {
      const tokens: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'tokens') : undefined
      return typeof tokens === 'object' && tokens !== null && typeof Reflect.get(tokens, 'verify') === 'function'
    },
    { error: 'give an AuthyClient' },
  ),
  state: objectWith<StateStore>(['get', 'putIfAbsent', 'update'], 'give a state store'),
  authyId: functionOption<AuthyIdOf>('give a function of the subject that returns its Authy id'),
  limits: objectWith<GuessLimits>(['begin'], 'give what createGuessLimits made').optional(),
  factors: z
    .array(z.enum(['totp', 'sms', 'call']))
    .min(1)
    .default(['totp', 'sms', 'call']),
  tokenField: z.string().min(1).default('token'),
  address: functionOption<FromStrategyRequest<string | undefined>>().default(() => addressOf),
  device: functionOption<FromStrategyRequest<string | undefined>>().default(() => deviceOf),
  timeoutMs: z.number().int().min(100).max(120_000).default(15_000),
})

interface Attempt {
  readonly login: Login
  readonly token: string
  readonly factor: string
  /** Empty for somebody who has not enrolled. */
  readonly authyId: string
  readonly permit: GuessPermit & { readonly allowed: true }
}

/**
 * Proves a code of Authy: from the app, or sent by text message or call. As the second factor of a two-phase login, for
 * step-up, or (with `subject`) as a first factor.
 *
 * The code comes from the body only and is 6 to 12 digits before it goes anywhere. Wrong codes are limited before Authy
 * is asked; a code works once, also when Authy would take it again. A code counts as `sms` or `call` for as long as one
 * that was sent so ({@link rememberDelivery}) may be it, else as `totp`.
 *
 * Outcomes: `success(user, { factor, amr, proof, at, assuranceId })`; `fail({ message, reason }, 400 | 401 | 429)` with the
 * reason `missing`, `no-subject`, `invalid`, `used`, `limited`, `not-allowed`, `no-user`, `factor-needed` or `login-ended`;
 * `error(...)` when Authy or the store can't be reached: nobody gets in.
 *
 * @example
 * passport.use(
 *   new AuthyTokenStrategy({ client, state, assurances, authyId: (id) => users.authyIdOf(id) }, (id) => users.find(id)),
 * )
 */
export class AuthyTokenStrategy extends FactorStrategy {
  private readonly settings: z.output<typeof optionsSchema>
  private readonly limits: GuessLimits

  constructor(options: AuthyTokenStrategyOptions & { readonly passReqToCallback: true }, verify: VerifyWithRequest)
  constructor(options: AuthyTokenStrategyOptions & { readonly passReqToCallback?: false }, verify: VerifyFunction)
  constructor(options: AuthyTokenStrategyOptions, verify: VerifyFunction | VerifyWithRequest) {
    const settings = parseOptions(optionsSchema, options, 'AuthyTokenStrategy')
    super('authy-token', settings, verify)
    this.settings = settings
    this.limits = settings.limits ?? createGuessLimits({ state: settings.state, runtime: this.runtime })
  }

  protected override async decide(req: StrategyRequest): Promise<void> {
    const token = bodyField(req, this.settings.tokenField)
    if (token === undefined || !/^[0-9]{6,12}$/.test(token)) {
      this.fail({ message: 'Enter the code: 6 to 12 digits', reason: 'missing' }, 400)
      return
    }
    const login = await this.logins.find(req)
    if (login === undefined) {
      this.fail({ message: 'Sign in first', reason: 'no-subject' }, 401)
      return
    }
    const factor = await factorOfCode(this.settings.state, login.subject)
    if (!this.settings.factors.includes(factor)) {
      this.logins.record(login, factor, 'failed', 'not-allowed')
      this.fail({ message: 'Codes sent this way are switched off', reason: 'not-allowed' }, 401)
      return
    }
    const authyId = await this.settings.authyId(login.subject, req)
    const permit = await this.limits.begin({
      subject: login.subject,
      address: this.settings.address(req),
      device: this.settings.device(req),
      factor: 'code',
    })
    if (permit.allowed) return this.check(req, { login, token, factor, authyId: String(authyId ?? ''), permit })
    this.logins.record(login, factor, 'limited')
    this.refuse(req, { reason: 'limited', retryAfterSeconds: permit.retryAfterSeconds })
  }

  private async check(req: StrategyRequest, attempt: Attempt): Promise<void> {
    const { login, factor, permit } = attempt
    const reason = await this.ask(attempt)
    if (reason !== undefined) {
      this.logins.record(login, factor, 'failed', reason)
      this.fail({ message: 'The code is wrong or was used already', reason }, 401)
      return
    }
    await permit.succeeded()
    const { amr, at } = toFactor({ factor }, this.runtime.now())
    await this.proved(req, login, { factor, amr, proof: 'transfer', at: new Date(at) })
  }

  /** Why the code is not good; nothing if it is. Rejects when nobody could tell. */
  private async ask({ login, token, authyId, permit }: Attempt): Promise<'invalid' | 'used' | undefined> {
    if (authyId === '') return 'invalid'
    const use = await useCodeOnce(this.settings.state, { realm: 'authy', subject: login.subject, code: token })
    if (use === undefined) return 'used'
    try {
      const signal = AbortSignal.timeout(this.settings.timeoutMs)
      const { valid } = await this.settings.client.tokens.verify(authyId, token, { signal })
      if (valid === true) return undefined
    } catch (error) {
      await Promise.all([use.forget(), permit.withdrawn()])
      throw error
    }
    await use.forget()
    return 'invalid'
  }
}

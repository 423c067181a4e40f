import { z } from 'zod'
import type { ReleaseHandle } from '../approval/approvals-types.js'
import type { Assurances } from '../approval/assurance.js'
import { InvalidOptionError } from '../errors.js'
import { isSafeMethod } from '../middleware/http-request.js'
import { isSameOrigin, originsOption } from '../middleware/same-origin.js'
import { keepOption } from '../middleware/session.js'
import { functionOption, loggerOption, objectWith, runtimeOption } from '../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../runtime.js'
import { FactorLogin, type Login, type SubjectOf } from './factor-login.js'
import { asError, PassportBase, type StrategyRequest } from './passport.js'
import { callVerify, type FactorProof, type VerifyFunction, type VerifyWithRequest } from './verify.js'

/** What all strategies of this package take. */
export interface FactorStrategyOptions {
  /** Where the factors of logins are kept. Needed for two-phase login and step-up. */
  readonly assurances?: Assurances | undefined
  /**
   * Whose factor is proved: the application's own user id. Left out: of the login that waits for its second factor, or
   * of the user who is logged in (step-up). Given, the strategy can also be a first factor. Never somebody else than
   * the login that waits.
   */
  readonly subject?: SubjectOf | undefined
  /** Names of session entries that survive the login. Passport gives the session a new id, and drops all others. */
  readonly keep?: readonly string[] | undefined
  /** Other origins of the application's own that may send the forms, such as `https://app.example.com`. A request that another site caused is refused. */
  readonly origins?: readonly string[] | undefined
  /** The name for `passport.authenticate`. */
  readonly name?: string | undefined
  /** The verify callback gets the request as its first argument. */
  readonly passReqToCallback?: boolean | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

/** The options object of {@link FactorStrategyOptions}, for strategies to build on. */
export const factorStrategyShape = {
  assurances: objectWith<Assurances>(['begin', 'addFactor', 'complete'], 'give what createAssurances made').optional(),
  subject: functionOption<SubjectOf>('give a function of the request that returns the user id').optional(),
  keep: keepOption,
  origins: originsOption,
  name: z.string().min(1).optional(),
  passReqToCallback: z.boolean().default(false),
  runtime: runtimeOption,
  logger: loggerOption,
}

/** The settings that {@link FactorStrategy} needs, parsed. */
export type FactorStrategySettings = z.output<z.ZodObject<typeof factorStrategyShape>>

/**
 * What all strategies of this package have in common. `private`, not `#private`: Passport calls us on
 * Object.create(strategy), where # fields do not exist.
 */
export abstract class FactorStrategy extends PassportBase {
  override name: string
  protected readonly logins: FactorLogin
  protected readonly runtime: Runtime
  private readonly origins: ReadonlySet<string>
  private readonly verify: (req: StrategyRequest, subject: string, proof: FactorProof) => ReturnType<typeof callVerify>

  protected constructor(name: string, settings: FactorStrategySettings, verify: VerifyFunction | VerifyWithRequest) {
    super()
    if (typeof verify !== 'function') {
      throw new InvalidOptionError('verify', `${new.target.name}: give a verify callback after the options`)
    }
    this.name = settings.name ?? name
    this.runtime = resolveRuntime(settings.runtime)
    this.origins = new Set(settings.origins)
    this.logins = new FactorLogin({
      assurances: settings.assurances,
      subjectOf: settings.subject,
      keep: settings.keep,
      runtime: this.runtime,
      logger: settings.logger ?? silentLogger,
    })
    this.verify = (req, subject, proof) =>
      settings.passReqToCallback
        ? callVerify(verify.length > 3, (done) => Reflect.apply(verify, undefined, [req, subject, proof, done]))
        : callVerify(verify.length > 2, (done) => Reflect.apply(verify, undefined, [subject, proof, done]))
  }

  override authenticate(req: StrategyRequest): void {
    if (!isSafeMethod(req) && !isSameOrigin(req, this.origins)) {
      this.fail({ message: 'The request came from another site', reason: 'cross-site' }, 403)
      return
    }
    // Passport drops the return value, so no promise may escape from here; nothing but `error` may come of a throw.
    this.decide(req).catch((cause: unknown) => {
      this.error(asError(cause))
    })
  }

  /** One outcome, one Passport action. */
  protected abstract decide(req: StrategyRequest): Promise<void>

  /** A factor is proved: finds the user, raises the login, and hands over to Passport. */
  protected async proved(
    req: StrategyRequest,
    login: Login,
    proof: FactorProof,
    release?: readonly ReleaseHandle[],
  ): Promise<void> {
    const { user, info } = await this.verify(req, login.subject, proof)
    if (user === undefined || user === null || user === false) {
      this.logins.record(login, proof.factor, 'failed', 'no-user')
      this.fail(info ?? { message: 'The user is not known', reason: 'no-user' }, 401)
      return
    }
    this.logins.record(login, proof.factor, 'passed')
    const raised = await this.logins.raise(login, proof, release)
    if (!raised.isComplete) {
      const message = raised.reason === 'factor-needed' ? 'Another factor is needed' : 'The login has ended'
      this.fail({ message, reason: raised.reason }, 401)
      return
    }
    if (login.phase !== 'step-up') this.logins.record(login, 'login', 'completed')
    this.logins.carry(req, raised.assuranceId)
    const more = typeof info === 'object' && info !== null ? info : {}
    this.success(user, { ...more, ...proof, assuranceId: raised.assuranceId })
  }

  /** A refusal for the time being: 429, with `Retry-After` where we know the response. */
  protected refuse(
    req: StrategyRequest,
    details: { readonly reason: string; readonly retryAfterSeconds?: number },
  ): void {
    const { retryAfterSeconds } = details
    if (retryAfterSeconds !== undefined && req.res?.headersSent === false) {
      req.res.setHeader('Retry-After', retryAfterSeconds)
    }
    this.fail({ message: 'Too many tries. Wait a little.', ...details }, 429)
  }
}

import { z } from 'zod'
import type { Assurance, Assurances } from '../approval/assurance.js'
import { evaluatePolicy, policySchema, type FactorInput, type FactorPolicy } from '../approval/factors.js'
import { ConfigurationError } from '../errors.js'
import { functionOption, loggerOption, objectWith, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../runtime.js'
import { publishFactorEvent } from '../approval/factor-events.js'
import { answerJson, answerRedirect } from './http-answer.js'
import {
  defaultSubject,
  type OfUser,
  wantsHtml,
  type Handler,
  type HttpRequest,
  type HttpResponse,
  type Next,
} from './http-request.js'
import { logInWithPassport } from './passport-login.js'
import { carryAcrossLogin, keepOption, readSession, regenerateSession, saveSession } from './session.js'

/** What {@link beginSecondFactor} takes. */
export interface BeginSecondFactorOptions {
  readonly assurances: Assurances
  /**
   * What the login must meet before it is one. Two factors over different channels are demanded unless the policy says
   * `independent: 1`.
   */
  readonly policy: FactorPolicy | OfUser<FactorPolicy | Promise<FactorPolicy>>
  /** The page that asks for the second factor, as a path on this site. */
  readonly secondFactorPath: string
  /** The first factor. Default `password`. */
  readonly factor?: string | FactorInput | undefined
  /** The application's id of a user. Default `user.id`. */
  readonly subject?: OfUser<string | undefined> | undefined
  /** Names of session entries that survive the change of the session's id. */
  readonly keep?: readonly string[] | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

const optionsSchema = z.strictObject({
  assurances: objectWith<Assurances>(['begin', 'complete'], 'give what createAssurances made'),
  policy: z.custom<BeginSecondFactorOptions['policy']>(
    (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
    { error: 'give a policy, such as { anyOf: ["totp"] }, or a function that returns one' },
  ),
  secondFactorPath: z.string().regex(/^\/(?![/\\])/, 'give a path on this site, such as /login/second-factor'),
  factor: z
    .union([
      z.string(),
      z.strictObject({
        factor: z.string(),
        amr: z.array(z.string()).optional(),
        at: z.number().optional(),
        proof: z.enum(['transfer', 'compare', 'approve']).optional(),
      }),
    ])
    .default('password'),
  subject: functionOption<OfUser<string | undefined>>().default(() => defaultSubject),
  keep: keepOption,
  runtime: runtimeOption,
  logger: loggerOption,
})

/**
 * The end of the first phase of a login. Goes behind a Passport strategy that ran with `session: false`: takes
 * `req.user` away again, gives the session a new id, and sends the person to the second factor. The user is logged in
 * only when a strategy of this package has completed the policy. Until then `req.isAuthenticated()` is false.
 *
 * Answers: 303 to `secondFactorPath` for browsers; 202 with `Location` and `{ "status": "second-factor-required" }` for
 * API callers. If the policy is met already, the user is logged in and the next handler runs.
 *
 * @throws InvalidOptionError
 *
 * @example
 * app.post(
 *   '/login',
 *   passport.authenticate('local', { session: false, failureRedirect: '/login' }),
 *   beginSecondFactor({ assurances, policy: { anyOf: ['totp', 'push'] }, secondFactorPath: '/login/second-factor' }),
 *   (req, res) => res.redirect('/'),
 * )
 */
export function beginSecondFactor(options: BeginSecondFactorOptions): Handler {
  const settings = parseOptions(optionsSchema, options, 'beginSecondFactor')
  const runtime = resolveRuntime(settings.runtime)
  const logger = settings.logger ?? silentLogger
  const firstFactor = typeof settings.factor === 'string' ? { factor: settings.factor } : settings.factor

  if (typeof settings.policy !== 'function') parsePolicy(settings.policy)

  async function begin(req: HttpRequest, res: HttpResponse, next: Next): Promise<void> {
    const { user } = req
    // Nothing that runs after us, and nothing that runs if we fail, may take the person for logged in.
    Reflect.set(req, 'user', null)
    const subject = user === undefined || user === null ? undefined : settings.subject(user, req)
    if (subject === undefined) throw noSubject()
    const given = typeof settings.policy === 'function' ? await settings.policy(user, req) : settings.policy
    const policy = parsePolicy(given)
    const assurance = await settings.assurances.begin({ subject, factors: [firstFactor], awaiting: policy })
    publishFactorEvent(logger, { subject, factor: firstFactor.factor, result: 'passed', at: runtime.now() })
    if (evaluatePolicy(policy, assurance.factors, runtime.now()).met) return finish(req, next, user, assurance)
    await regenerateSession(req, settings.keep, { login: assurance.id })
    await saveSession(req)
    answer(req, res)
  }

  async function finish(req: HttpRequest, next: Next, user: unknown, assurance: Assurance): Promise<void> {
    await settings.assurances.complete(assurance.id)
    carryAcrossLogin(req, settings.keep, { assurance: assurance.id })
    await logInWithPassport(req, user)
    next()
  }

  function answer(req: HttpRequest, res: HttpResponse): void {
    if (wantsHtml(req)) return answerRedirect(res, settings.secondFactorPath)
    res.setHeader('Location', settings.secondFactorPath)
    answerJson(res, 202, { status: 'second-factor-required', location: settings.secondFactorPath })
  }

  return function beginSecondFactorMiddleware(req, res, next) {
    begin(req, res, next).catch(next)
  }
}

/** The login of this session that waits for its second factor: whose it is, and what it still has to meet. */
export async function pendingLogin(req: HttpRequest, assurances: Assurances): Promise<Assurance | undefined> {
  const { login } = readSession(req)
  const assurance = login === undefined ? undefined : await assurances.read(login)
  return assurance?.isPending === true ? assurance : undefined
}

function parsePolicy(policy: FactorPolicy): FactorPolicy {
  return parseOptions(
    policySchema,
    { ...policy, independent: policy.independent ?? 2 },
    'the policy of beginSecondFactor',
  )
}

function noSubject(): ConfigurationError {
  return new ConfigurationError(
    "beginSecondFactor found no user with an id: put it behind passport.authenticate(..., { session: false }), and if the id isn't user.id give the option `subject`",
  )
}

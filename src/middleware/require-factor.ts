import { z } from 'zod'
import type { Assurance, Assurances } from '../approval/assurance.js'
import { demandsSomething, evaluatePolicy, policySchema, policyShape, type FactorPolicy } from '../approval/factors.js'
import { InvalidOptionError } from '../errors.js'
import { functionOption, objectWith, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, type Runtime } from '../runtime.js'
import { exemptPaths } from './exempt-paths.js'
import { answerProblem, answerRedirect } from './http-answer.js'
import {
  defaultSubject,
  type FromRequest,
  type OfUser,
  fullUrlOf,
  isSafeMethod,
  wantsHtml,
  type Handler,
  type HttpRequest,
  type HttpResponse,
} from './http-request.js'
import { safeReturnPath } from './return-path.js'
import { readSession } from './session.js'

/** What {@link requireFactor} takes: a policy (or the `acr` name of one), and how to answer when it isn't met. */
export interface RequireFactorOptions extends FactorPolicy {
  readonly assurances: Assurances
  /** Where browsers are sent to prove what is missing, as a path on this site. Without it they get the same answer as API callers. */
  readonly stepUpPath?: string | undefined
  /** Paths that need nothing: exact (`/login`), or with all below (`/assets/*`). As the browser sees them, before any router took a part off. */
  readonly except?: readonly string[] | undefined
  /** The application's own names of policies (RFC 9470 `acr_values`). */
  readonly acrPolicies?: Readonly<Record<string, FactorPolicy>> | undefined
  /** The name of the policy to be met, instead of writing it out. */
  readonly acr?: string | undefined
  /** Where the id of the assurance is. Default: in the session. For bearer tokens: in the record of the token. */
  readonly assuranceOf?: FromRequest<string | undefined | Promise<string | undefined>> | undefined
  /** The application's id of a user. Default `user.id`. */
  readonly subject?: OfUser<string | undefined> | undefined
  readonly runtime?: Partial<Runtime> | undefined
}

const acrName = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'an acr name has no spaces, quotes or backslashes')

const optionsSchema = z.strictObject({
  ...policyShape,
  assurances: objectWith<Assurances>(['read', 'use'], 'give what createAssurances made'),
  stepUpPath: z
    .string()
    .regex(/^\/(?![/\\])[^?#]*$/, 'give a path on this site, such as /step-up')
    .optional(),
  except: z
    .array(z.string().regex(/^\/[^*?#]*\*?$/, 'give paths such as /login or /assets/*'))
    .max(256)
    .default([]),
  acrPolicies: z.record(acrName, policySchema).default({}),
  acr: acrName.optional(),
  assuranceOf: functionOption<NonNullable<RequireFactorOptions['assuranceOf']>>().optional(),
  subject: functionOption<OfUser<string | undefined>>().default(() => defaultSubject),
  runtime: runtimeOption,
})

/**
 * Lets a request through only if the login behind it has the factors that the policy demands, young and strong enough.
 * On one route it is step-up; as `app.use(requireFactor({ ..., except }))` before all routes it is the alternative to
 * two-phase login.
 *
 * Answers when the policy isn't met: API callers get 401 with `insufficient_user_authentication`, `acr_values` and
 * `max_age` (RFC 9470) and a problem body (RFC 9457); browsers get 303 to `stepUpPath`, with `return_to` for pages
 * (GET). Read that with {@link safeReturnPath}. When the store can't answer, `next(error)`: nobody gets in.
 *
 * @throws InvalidOptionError
 *
 * @example
 * app.get('/payees', requireFactor({ assurances, anyOf: ['push', 'totp'], maxAgeSeconds: 300, stepUpPath: '/step-up' }), show)
 */
export function requireFactor(options: RequireFactorOptions): Handler {
  const settings = parseOptions(optionsSchema, options, 'requireFactor')
  const policy = policyOf(settings)
  const { now } = resolveRuntime(settings.runtime)
  const isExempt = exemptPaths(settings.except)
  const assuranceOf = settings.assuranceOf ?? ((req: HttpRequest) => readSession(req).assurance)

  async function isMet(req: HttpRequest): Promise<boolean> {
    const subject = req.user === undefined || req.user === null ? undefined : settings.subject(req.user, req)
    const id = subject === undefined ? undefined : await assuranceOf(req)
    const assurance = id === undefined ? undefined : await settings.assurances.use(id)
    // Also when somebody else has logged in since, and the session was kept: the factors are the user's own or none.
    if (assurance === undefined || assurance.isPending || assurance.subject !== subject) return false
    return evaluatePolicy(policy, assurance.factors, now()).met
  }

  function refuse(req: HttpRequest, res: HttpResponse): void {
    if (settings.stepUpPath !== undefined && wantsHtml(req)) {
      return answerRedirect(res, stepUpLocation(settings.stepUpPath, req))
    }
    const acrValues = settings.acr ?? [...(policy.anyOf ?? []), ...(policy.allOf ?? [])].join(' ')
    const challenge = [
      'Bearer error="insufficient_user_authentication"',
      'error_description="A different or a more recent authentication is needed"',
      ...(acrValues === '' ? [] : [`acr_values="${acrValues}"`]),
      ...(policy.maxAgeSeconds === undefined ? [] : [`max_age="${policy.maxAgeSeconds}"`]),
    ]
    res.setHeader('WWW-Authenticate', challenge.join(', '))
    answerProblem(res, {
      status: 401,
      title: 'Another factor is needed',
      detail: 'The login lacks a factor that this needs, or the factor is too old or too weak.',
      error: 'insufficient_user_authentication',
      ...(acrValues === '' ? {} : { acr_values: acrValues }),
      ...(policy.maxAgeSeconds === undefined ? {} : { max_age: policy.maxAgeSeconds }),
      ...(settings.stepUpPath === undefined ? {} : { step_up: settings.stepUpPath }),
    })
  }

  return function requireFactorMiddleware(req, res, next) {
    if (isExempt(req)) return next()
    isMet(req)
      .then((met) => (met ? next() : refuse(req, res)))
      .catch(next)
  }
}

/** The login behind a request: who, with which factors, since when. Nothing if nobody is logged in with one. */
export async function currentAssurance(req: HttpRequest, assurances: Assurances): Promise<Assurance | undefined> {
  const { assurance: id } = readSession(req)
  const assurance = id === undefined ? undefined : await assurances.read(id)
  return assurance?.isPending === false ? assurance : undefined
}

function stepUpLocation(path: string, req: HttpRequest): string {
  const back = isSafeMethod(req) ? safeReturnPath(fullUrlOf(req)) : undefined
  return back === undefined ? path : `${path}?return_to=${encodeURIComponent(back)}`
}

function policyOf(settings: z.output<typeof optionsSchema>): FactorPolicy {
  const { anyOf, allOf, maxAgeSeconds, proof, independent, acr, acrPolicies } = settings
  const inline = { anyOf, allOf, maxAgeSeconds, proof, independent }
  const named = acr !== undefined && Object.hasOwn(acrPolicies, acr) ? acrPolicies[acr] : undefined
  if (named === undefined) {
    if (acr !== undefined && Object.keys(acrPolicies).length > 0) {
      throw new InvalidOptionError('acr', `requireFactor: acrPolicies has no policy of the name '${acr}'`)
    }
    if (demandsSomething(inline)) return inline
    throw new InvalidOptionError(
      'anyOf',
      'requireFactor: say what is needed: anyOf, allOf, independent, or acr with acrPolicies',
    )
  }
  if (demandsSomething(inline) || maxAgeSeconds !== undefined || proof !== undefined) {
    throw new InvalidOptionError('acr', 'requireFactor: give a policy by its acr name or write it out, not both')
  }
  return named
}

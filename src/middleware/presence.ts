import { z } from 'zod'
import type { Approvals } from '../approval/approvals-types.js'
import type { Assurances } from '../approval/assurance.js'
import { publishFactorEvent } from '../approval/factor-events.js'
import type { StateStore } from '../approval/state-store.js'
import { loggerOption, objectWith, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../runtime.js'
import { exemptPaths } from './exempt-paths.js'
import { answerProblem, answerRedirect } from './http-answer.js'
import { wantsHtml, type Handler, type HttpRequest, type HttpResponse } from './http-request.js'
import { logOutWithPassport } from './passport-login.js'
import { PresenceWatch } from './presence-watch.js'
import { hasSession, readSession, writeSession } from './session.js'

/** What {@link presence} takes. */
export interface PresenceOptions {
  readonly approvals: Approvals
  readonly assurances: Assurances
  /** Where checks are shared between requests and nodes: the store that `createApprovals` was given. */
  readonly state: StateStore
  /** How old a check may be, in seconds. Default 10. */
  readonly intervalSeconds?: number | undefined
  /** What happens when the device goes away: `suspend` (default) keeps the login, `logout` ends it at the first sight. */
  readonly onAway?: 'suspend' | 'logout' | undefined
  /** How long a login stays suspended before it ends, in seconds. Default 15 minutes. */
  readonly suspendedLimitSeconds?: number | undefined
  /** Where a browser goes while it is suspended: a path on this site. */
  readonly suspendedPath?: string | undefined
  /** Where a browser goes whose login has ended: a path on this site. */
  readonly signedOutPath?: string | undefined
  /** Paths that need no presence, such as `/logout` and `/assets/*`. The two above never do. */
  readonly except?: readonly string[] | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

const sitePath = z.string().regex(/^\/(?![/\\])[^?#*]*$/, 'give a path on this site, such as /suspended')

const optionsSchema = z.strictObject({
  approvals: objectWith<Approvals>(['release'], 'give what createApprovals made'),
  assurances: objectWith<Assurances>(['read', 'releases', 'end'], 'give what createAssurances made'),
  state: objectWith<StateStore>(['get', 'put', 'putIfAbsent', 'delete'], 'give a state store'),
  intervalSeconds: z.number().min(1).max(3600).default(10),
  onAway: z.enum(['suspend', 'logout']).default('suspend'),
  suspendedLimitSeconds: z.number().min(1).max(86_400).default(900),
  suspendedPath: sitePath.optional(),
  signedOutPath: sitePath.optional(),
  except: z
    .array(z.string().regex(/^\/[^*?#]*\*?$/, 'give paths such as /logout or /assets/*'))
    .max(256)
    .default([]),
  runtime: runtimeOption,
  logger: loggerOption,
})

type Settings = z.output<typeof optionsSchema>

/**
 * Keeps a login true whose factor goes on being proved (Activeconnect): when the phone goes out of reach the login is
 * suspended, and resumes when it comes back; when it is signed out from the phone or by an administrator, the local session
 * ends. Mount it after the session and Passport, before the routes. Logins without such a factor pass.
 *
 * Checks are shared by all requests, tabs and nodes. A request is decided by one that is not older than `intervalSeconds`; only when there
 * is none does it wait, at most five seconds. A check that fails denies access (503) and, three times in a row, ends the login.
 *
 * Answers: 403 with `error: "suspended"`, 401 with `"session_ended"`, 503 with `"presence_unknown"` (RFC 9457); browsers are sent to
 * `suspendedPath` and `signedOutPath`.
 *
 * @throws InvalidOptionError
 *
 * @example
 * app.use(passport.session(), presence({ approvals, assurances, state, signedOutPath: '/', except: ['/logout'] }))
 */
export function presence(options: PresenceOptions): Handler {
  const settings = parseOptions(optionsSchema, options, 'presence')
  const { approvals, assurances, state, suspendedPath, signedOutPath } = settings
  const isExempt = exemptPaths([
    ...settings.except,
    ...[suspendedPath, signedOutPath].filter((path) => path !== undefined),
  ])
  const runtime = resolveRuntime(settings.runtime)
  const logger = settings.logger ?? silentLogger
  const watch = new PresenceWatch({
    channels: approvals.channels,
    state,
    runtime,
    logger,
    intervalMs: settings.intervalSeconds * 1000,
    suspendedLimitMs: settings.suspendedLimitSeconds * 1000,
  })

  async function decide(req: HttpRequest): Promise<Verdict> {
    const { assurance } = readSession(req)
    if (assurance === undefined) return 'present'
    // A login that was revoked, or is too old: what it held at the provider is no longer known, so nothing vouches for it.
    if ((await assurances.read(assurance)) === undefined) return 'ended'
    const handles = (await assurances.releases(assurance)).filter((handle) => watch.watches(handle))
    if (handles.length === 0) return 'present'
    const { status } = await watch.look(assurance, handles)
    return status === 'away' && settings.onAway === 'logout' ? 'ended' : status
  }

  async function end(req: HttpRequest): Promise<void> {
    const { assurance } = readSession(req)
    if (assurance !== undefined) {
      const subject = (await assurances.read(assurance))?.subject
      const release = await assurances.end(assurance)
      if (subject !== undefined) {
        publishFactorEvent(logger, { subject, factor: 'login', result: 'ended', reason: 'presence', at: runtime.now() })
      }
      if (release.length > 0) await approvals.release(release)
    }
    if (hasSession(req)) writeSession(req, {})
    await logOutWithPassport(req)
  }

  return function presenceMiddleware(req, res, next) {
    if (isExempt(req)) return next()
    decide(req)
      .then(async (verdict) => {
        if (verdict === 'present') return next()
        if (verdict === 'ended') await end(req)
        refuse(req, res, verdict, settings)
      })
      .catch(next)
  }
}

type Verdict = 'present' | 'away' | 'ended' | 'unknown'

function refuse(req: HttpRequest, res: HttpResponse, verdict: Exclude<Verdict, 'present'>, settings: Settings): void {
  const path = verdict === 'ended' ? settings.signedOutPath : verdict === 'away' ? settings.suspendedPath : undefined
  if (path !== undefined && wantsHtml(req)) return answerRedirect(res, path)
  if (verdict === 'ended')
    return answerProblem(res, { status: 401, title: 'The login has ended', error: 'session_ended' })
  res.setHeader('Retry-After', Math.ceil(settings.intervalSeconds))
  if (verdict === 'away') {
    return answerProblem(res, { status: 403, title: 'Suspended: the device is out of reach', error: 'suspended' })
  }
  answerProblem(res, {
    status: 503,
    title: 'Whether the device is near could not be checked',
    error: 'presence_unknown',
  })
}

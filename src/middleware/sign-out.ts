import { z } from 'zod'
import type { Approvals } from '../approval/approvals-types.js'
import type { Assurances } from '../approval/assurance.js'
import { publishFactorEvent } from '../approval/factor-events.js'
import { loggerOption, objectWith, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../runtime.js'
import { answerProblem } from './http-answer.js'
import { isSafeMethod, type Handler, type HttpRequest } from './http-request.js'
import { logOutWithPassport } from './passport-login.js'
import { isSameOrigin } from './same-origin.js'
import { hasSession, readSession, writeSession } from './session.js'

/** What {@link signOut} takes. */
export interface SignOutOptions {
  readonly assurances: Assurances
  /** Given: open questions of the session are withdrawn, and sessions at providers are ended. */
  readonly approvals?: Approvals | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

const optionsSchema = z.strictObject({
  assurances: objectWith<Assurances>(['read', 'end'], 'give what createAssurances made'),
  approvals: objectWith<Approvals>(['cancel', 'release'], 'give what createApprovals made').optional(),
  runtime: runtimeOption,
  logger: loggerOption,
})

/**
 * Ends a login, also one that waits for its second factor: its assurance first (so that no copy of the session is worth
 * anything), then Passport's logout, which gives the session a new id. POST only; refused when another site caused it.
 *
 * @throws InvalidOptionError
 *
 * @example
 * app.post('/logout', signOut({ assurances, approvals }), (req, res) => res.redirect('/'))
 */
export function signOut(options: SignOutOptions): Handler {
  const settings = parseOptions(optionsSchema, options, 'signOut')
  const { assurances, approvals } = settings
  const { now } = resolveRuntime(settings.runtime)
  const logger = settings.logger ?? silentLogger

  async function end(req: HttpRequest): Promise<void> {
    const { assurance, login, approvals: held = [] } = readSession(req)
    for (const id of [assurance, login]) {
      if (id === undefined) continue
      const subject = (await assurances.read(id))?.subject
      const release = await assurances.end(id)
      if (subject !== undefined) publishFactorEvent(logger, { subject, factor: 'login', result: 'ended', at: now() })
      if (release.length > 0) await approvals?.release(release)
    }
    if (hasSession(req)) writeSession(req, {})
    await logOutWithPassport(req)
    // Last: what can't be withdrawn (it has ended, or the provider hangs) must not keep the person signed in.
    await Promise.allSettled(held.map(async (handle) => approvals?.cancel(handle)))
  }

  return function signOutMiddleware(req, res, next) {
    if (isSafeMethod(req)) {
      res.setHeader('Allow', 'POST')
      return answerProblem(res, { status: 405, title: 'Sign out with POST' })
    }
    if (!isSameOrigin(req)) return answerProblem(res, { status: 403, title: 'The request came from another site' })
    end(req).then(() => {
      next()
    }, next)
  }
}

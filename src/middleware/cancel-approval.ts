import { z } from 'zod'
import type { Approvals } from '../approval/approvals-types.js'
import { ApprovalNotFoundError } from '../errors.js'
import { objectWith, parseOptions } from '../options.js'
import { answerProblem } from './http-answer.js'
import { isSafeMethod, routeParameter, type Handler, type HttpRequest } from './http-request.js'
import { isSameOrigin } from './same-origin.js'
import { dropApproval, heldApproval, saveIfCurrent } from './session.js'

/** What {@link cancelApproval} takes. */
export interface CancelApprovalOptions {
  readonly approvals: Approvals
  /** The route's parameter that holds the approval's id. Default `id`. */
  readonly parameter?: string | undefined
}

const optionsSchema = z.strictObject({
  approvals: objectWith<Approvals>(['cancel'], 'give what createApprovals made'),
  parameter: z.string().min(1).default('id'),
})

/**
 * Gives up a question of this session (and withdraws it, where the provider can), then runs the next handler. POST only;
 * 404 for an approval of another session; refused when another site caused it.
 *
 * @throws InvalidOptionError
 *
 * @example
 * app.post('/approvals/:id/cancel', cancelApproval({ approvals }), (req, res) => res.redirect('/login/second-factor'))
 */
export function cancelApproval(options: CancelApprovalOptions): Handler {
  const { approvals, parameter } = parseOptions(optionsSchema, options, 'cancelApproval')

  async function cancel(req: HttpRequest): Promise<boolean> {
    const held = heldApproval(req, routeParameter(req, parameter) ?? '')
    if (held === undefined) return false
    try {
      await approvals.cancel(held)
    } catch (error) {
      if (!(error instanceof ApprovalNotFoundError)) throw error
    }
    return saveIfCurrent(req, () => {
      dropApproval(req, held.id)
    })
  }

  return function cancelApprovalMiddleware(req, res, next) {
    if (isSafeMethod(req)) {
      res.setHeader('Allow', 'POST')
      return answerProblem(res, { status: 405, title: 'Cancel with POST' })
    }
    if (!isSameOrigin(req)) return answerProblem(res, { status: 403, title: 'The request came from another site' })
    cancel(req).then((done) => {
      if (done) next()
      else answerProblem(res, { status: 404, title: 'There is no such approval' })
    }, next)
  }
}

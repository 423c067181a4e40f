import type { RedeemedApproval } from '../approval/approvals-types.js'
import { ConfigurationError, InvalidOptionError } from '../errors.js'
import { parseOptions } from '../options.js'
import type { Handler, HttpRequest } from './http-request.js'
import { requireApprovalOptions, type RequireApprovalOptions } from './require-approval-options.js'
import { Transaction } from './transaction.js'

export type { RequireApprovalOptions } from './require-approval-options.js'

/**
 * Lets one request through, once, after the very thing that it does was approved on somebody's own device (PSD2 calls
 * this dynamic linking). What is approved is `bind(req)`, and the text on the device is made of that and nothing else;
 * at execution it is computed again, and a changed field needs a new approval.
 *
 * Execution is *at most once*: the approval is used up before the next handler runs, and never again. `approvalOf(req).id` is the idempotency
 * key for the application's own books; a crash after that point leaves a transaction that was not done, never one done twice.
 *
 * Browsers are sent to the waiting page (303), which sends the form of the original fields again: see `resubmitForm`. API
 * callers get 202 with `approval_token`, and send that back in an `Approval-Token` header with the same request; it works once, for the same subject, and in
 * the same session or under the same `jti`.
 *
 * Refusals are problems (RFC 9457) whose `error` is `approval_denied`, `approval_expired`, `approval_cancelled`, `approval_failed`,
 * `approval_used`, `approval_mismatch`, `approval_token`, `not_enrolled` or `approval_limited` (429). Give `onRefused` to show
 * browsers a page instead.
 *
 * @throws InvalidOptionError
 *
 * @example
 * app.post(
 *   '/transfers',
 *   requireApproval({
 *     approvals,
 *     state,
 *     channel: 'passbyme',
 *     purpose: 'transfer',
 *     bind: (req) => readTransfer(req.body), // { amountCents, payee }
 *     message: ({ amountCents, payee }) => `Pay ${euros(amountCents)} to ${payee}?`,
 *     reference: (subject) => users.passByMeIdOf(subject),
 *     waitingPath: '/approvals/:id',
 *   }),
 *   (req, res) => transfer(approvalOf(req).bound, { idempotencyKey: approvalOf(req).id }),
 * )
 */
export function requireApproval(options: RequireApprovalOptions): Handler {
  const settings = parseOptions(requireApprovalOptions, options, 'requireApproval')
  const { channel, approvals } = settings
  if (settings.reference === undefined && settings.recipients === undefined) {
    throw new InvalidOptionError('reference', 'requireApproval: give reference, or recipients')
  }
  const known = typeof channel === 'string' ? approvals.channels.get(channel) : channel
  if (typeof known === 'object' && known.showsMessage === false) {
    throw new InvalidOptionError(
      'channel',
      `requireApproval: channel '${known.name}' can't show what is approved; use another one for transactions`,
    )
  }
  if (typeof known === 'object' && known.identify && settings.reference === undefined) {
    throw new InvalidOptionError(
      'reference',
      `requireApproval: channel '${known.name}' knows people by many ids; give reference too (nothing for who has none), so that a requester's alias doesn't count`,
    )
  }
  const transaction = new Transaction(settings)

  return function requireApprovalMiddleware(req, res, next) {
    transaction.handle(req, res, next).then((approval) => {
      if (approval === undefined) return
      redeemed.set(req, approval)
      Reflect.set(req, 'approval', approval)
      next()
    }, next)
  }
}

const redeemed = new WeakMap<object, RedeemedApproval>()

/** @internal The same as {@link approvalOf}, or nothing. */
export function redeemedApproval(req: HttpRequest): RedeemedApproval | undefined {
  return redeemed.get(req)
}

/**
 * The approval with which `requireApproval` let this request through; also at `req.approval`.
 *
 * @throws ConfigurationError when there is none: the route is not behind `requireApproval`.
 */
export function approvalOf(req: HttpRequest): RedeemedApproval {
  const approval = redeemed.get(req)
  if (!approval) throw new ConfigurationError('this request has no approval: put requireApproval before the handler')
  return approval
}

import type { ApprovalView } from '../approval/approvals-types.js'
import { answerJson } from '../middleware/http-answer.js'
import { wantsHtml } from '../middleware/http-request.js'
import type { StrategyRequest } from './passport.js'

/** What a caller learns of an approval that is not decided yet. */
export interface PendingInfo {
  readonly id: string
  readonly status: 'pending'
  /** ISO 8601, UTC. */
  readonly expiresAt: string
  /** The code that the person compares with the one on the device, where the channel has one. */
  readonly code?: string
  /** The waiting page. */
  readonly location: string
}

// Seconds. A hint: who wants to know at once uses the status route.
const RETRY_AFTER = 2

/** What to tell of a pending approval. */
export function pendingInfo(view: ApprovalView, location: string): PendingInfo {
  return {
    id: view.id,
    status: 'pending',
    expiresAt: view.expiresAt.toISOString(),
    ...(view.code === undefined ? {} : { code: view.code }),
    location,
  }
}

/**
 * Answers an API caller with 202. Browsers are to be redirected. Without a response (Fastify doesn't tell a strategy) there is
 * nothing that we could answer on.
 */
export function answerPending(
  req: StrategyRequest,
  view: ApprovalView,
  location: string,
): 'redirect' | 'answered' | 'unanswered' {
  if (wantsHtml(req)) return 'redirect'
  if (req.res === undefined || req.res.headersSent) return 'unanswered'
  req.res.setHeader('Location', location)
  req.res.setHeader('Retry-After', RETRY_AFTER)
  answerJson(req.res, 202, pendingInfo(view, location))
  return 'answered'
}

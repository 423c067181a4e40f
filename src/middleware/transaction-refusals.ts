import type { ApprovalView } from '../approval/approvals-types.js'
import type { ApprovalLimitedError, ApprovalNotRedeemableError } from '../errors.js'
import { answerProblem } from './http-answer.js'
import type { HttpResponse } from './http-request.js'

/** The approval is over, and nothing is executed. */
export function refuseEnded(res: HttpResponse, { status, id }: ApprovalView): void {
  if (status === 'redeemed') return refuseUsed(res, id)
  answerProblem(res, { status: 403, title: `The request is ${status}`, error: `approval_${status}`, approval_id: id })
}

function refuseUsed(res: HttpResponse, id?: string): void {
  const title = 'This approval was used already'
  answerProblem(res, { status: 409, title, error: 'approval_used', ...(id !== undefined && { approval_id: id }) })
}

/** What was approved can't be used for this request. */
export function refuseRedeem(res: HttpResponse, { reason }: ApprovalNotRedeemableError): void {
  if (reason === 'redeemed') return refuseUsed(res)
  if (reason === 'binding') {
    const title = 'Something else was approved than is to be done; ask for a new approval'
    return answerProblem(res, { status: 403, title, error: 'approval_mismatch' })
  }
  answerProblem(res, { status: 403, title: `The approval is ${reason}`, error: `approval_${reason}` })
}

/** Alike for a token of another caller and for one that never was. */
export function refuseToken(res: HttpResponse): void {
  answerProblem(res, { status: 403, title: 'This is no approval token of this caller', error: 'approval_token' })
}

/** Nobody is asked now. */
export function refuseLimited(res: HttpResponse, { reason, retryAfterSeconds }: ApprovalLimitedError): void {
  if (retryAfterSeconds !== undefined) res.setHeader('Retry-After', Math.ceil(retryAfterSeconds))
  answerProblem(res, { status: 429, title: 'No approval can be asked for now', error: 'approval_limited', reason })
}

import type { ApprovalView } from '../approval/approvals-types.js'
import { ApprovalLimitedError, ApprovalNotRedeemableError, InvalidInputError } from '../errors.js'
import type { Problem } from './http-answer.js'

/** Ends the handling of a request, with what is answered. */
export class Refused extends Error {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string | number>>

  constructor(problem: Problem, headers: Readonly<Record<string, string | number>> = {}) {
    super(problem.title)
    this.problem = problem
    this.headers = headers
  }
}

/** What a request is refused for; undefined for what is no refusal. */
export function refusedFor(error: unknown): Refused | undefined {
  if (error instanceof Refused) return error
  if (error instanceof ApprovalLimitedError) return limited(error)
  if (error instanceof ApprovalNotRedeemableError) return unredeemed(error)
  if (error instanceof InvalidInputError)
    return new Refused({ status: 400, title: "The request can't be put to approval", field: error.field })
  return undefined
}

/** The approval is over, and nothing is executed. */
export function ended({ status, id }: ApprovalView): Refused {
  if (status === 'redeemed') return used(id)
  return new Refused({
    status: 403,
    title: `The request is ${status}`,
    error: `approval_${status}`,
    approval_id: id,
  })
}

function used(id?: string): Refused {
  const title = 'This approval was used already'
  return new Refused({ status: 409, title, error: 'approval_used', ...(id !== undefined && { approval_id: id }) })
}

/** What was approved can't be used for this request. */
function unredeemed({ reason }: ApprovalNotRedeemableError): Refused {
  if (reason === 'redeemed') return used()
  const title =
    reason === 'binding'
      ? 'Something else was approved than is to be done; ask for a new approval'
      : `The approval is ${reason}`
  return new Refused({ status: 403, title, error: `approval_${reason === 'binding' ? 'mismatch' : reason}` })
}

/** Alike for a token of another caller and for one that never was. */
export function foreignToken(): Refused {
  return new Refused({ status: 403, title: 'This is no approval token of this caller', error: 'approval_token' })
}

/** Nobody is asked now. */
function limited({ reason, retryAfterSeconds }: ApprovalLimitedError): Refused {
  const wait = retryAfterSeconds === undefined ? undefined : Math.ceil(retryAfterSeconds)
  return new Refused(
    { status: 429, title: 'No approval can be asked for now', error: 'approval_limited', reason, retry_after: wait },
    wait === undefined ? {} : { 'Retry-After': wait },
  )
}

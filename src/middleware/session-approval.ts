import type { Approvals, ApprovalView } from '../approval/approvals-types.js'
import { ApprovalNotFoundError } from '../errors.js'
import type { HttpRequest } from './http-request.js'
import { heldApproval } from './session.js'

/**
 * What a waiting page shows of an approval that this session began: message, code to compare, end.
 *
 * @throws {@link ApprovalNotFoundError} alike for an approval of another session and for one that never was.
 *
 * @example
 * app.get('/login/waiting/:id', async (req, res) => {
 *   const { message, expiresAt } = await sessionApproval(req, approvals, req.params.id)
 *   res.render('waiting', { message, expiresAt })
 * })
 */
export async function sessionApproval(req: HttpRequest, approvals: Approvals, id: string): Promise<ApprovalView> {
  const held = heldApproval(req, id)
  if (held === undefined) throw new ApprovalNotFoundError()
  return approvals.status(held)
}

import { ApprovalLimitedError } from '../errors.js'
import type { ApprovalView, RedeemedApproval, ReleaseHandle } from './approvals-types.js'
import type { ApprovalChannel } from './channel.js'
import { publishApprovalEvent } from './events.js'
import { handleOf } from './heart.js'
import type { ApprovalRecord } from './life.js'

/** What the session that began an approval may know of it: nothing of the provider's. */
export function viewOf(record: ApprovalRecord): ApprovalView {
  return {
    id: record.id,
    status: record.status,
    channel: record.channel,
    purpose: record.purpose,
    proof: record.proof,
    message: record.message,
    ...(record.code === undefined ? {} : { code: record.code }),
    startedAt: new Date(record.startedAt),
    expiresAt: new Date(record.expiresAt),
    ...(record.decidedAt === undefined ? {} : { decidedAt: new Date(record.decidedAt) }),
    needed: record.needed,
    given: record.decisions.filter((decision) => decision.status === 'approved').length,
  }
}

/** What a redeemed approval proves. */
export function redeemed(record: ApprovalRecord, channel: ApprovalChannel | undefined): RedeemedApproval {
  const approved = new Set(
    record.decisions.filter((decision) => decision.status === 'approved').map((decision) => decision.reference),
  )
  const release: ReleaseHandle[] = channel?.release
    ? record.asks.map((ask) => ({ channel: record.channel, ...handleOf(ask) }))
    : []
  return {
    id: record.id,
    subject: record.subject,
    purpose: record.purpose,
    bound: record.bound,
    channel: record.channel,
    factor: record.factor,
    amr: record.amr,
    proof: record.proof,
    decidedAt: new Date(record.decidedAt ?? record.startedAt),
    approvedBy: record.recipients.filter((recipient) => approved.has(recipient.reference)),
    ...(release.length > 0 ? { release } : {}),
  }
}

/** Tells of an approval that was not even started. */
export function publishRefusal(record: ApprovalRecord, error: unknown, now: number): void {
  publishApprovalEvent(() => ({
    id: undefined,
    channel: record.channel,
    subject: record.subject,
    purpose: record.purpose,
    from: undefined,
    to: 'refused',
    reason: error instanceof ApprovalLimitedError ? error.reason : 'error',
    at: now,
    durationMs: 0,
  }))
}

import { channel } from 'node:diagnostics_channel'
import type { ApprovalStatus } from './approvals-types.js'

/** Published on `node:diagnostics_channel` as `passport-outofband:approval` for every change of an approval, and every refusal to start one. */
export interface ApprovalEvent {
  /** Our id. Worth nothing without the session's secret. */
  readonly id: string | undefined
  readonly channel: string
  readonly subject: string
  readonly purpose: string
  readonly from: ApprovalStatus | undefined
  readonly to: ApprovalStatus | 'refused'
  /** Why a start was refused, or failed. */
  readonly reason: string | undefined
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Milliseconds since the start. */
  readonly durationMs: number
}

/** @internal The name of the channel. */
export const approvalEventChannel = 'passport-outofband:approval'

const approvals = channel(approvalEventChannel)

/** Tells whoever listens. Costs nothing when nobody does. */
export function publishApprovalEvent(event: () => ApprovalEvent): void {
  if (approvals.hasSubscribers) approvals.publish(event())
}

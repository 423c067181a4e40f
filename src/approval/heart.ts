import type { Logger, Runtime } from '../runtime.js'
import type { ApprovalRecords } from './approval-records.js'
import type { ApprovalChannel, ChannelHandle, ProofKind } from './channel.js'
import type { Ask } from './life.js'
import type { PushLimits, PushPolicy } from './push-limits.js'
import type { StateStore } from './state-store.js'

/** What the parts of the approval heart share. */
export interface Heart {
  readonly state: StateStore
  readonly records: ApprovalRecords
  readonly limits: PushLimits
  readonly channels: ReadonlyMap<string, ApprovalChannel>
  readonly policy: ApprovalPolicy
  readonly runtime: Runtime
  readonly logger: Logger
}

/** The rules that hold for every approval of one `createApprovals`. */
export interface ApprovalPolicy extends PushPolicy {
  /** Seconds that a question stays open unless `start` says otherwise. */
  readonly ttlSeconds: number
  /** The weakest kind of proof that is accepted. */
  readonly proof: ProofKind
}

/** One provider call made by background work is given up after this long. Milliseconds. */
export const callDeadlineMs = 8_000

/** Background work is claimed for this long: longer than a call, so that no two processes ask for the same thing. Milliseconds. */
export const leaseMs = 10_000

/** The deadline of one provider call, joined with the caller's signal. */
export function callSignal(signal?: AbortSignal): AbortSignal {
  const deadline = AbortSignal.timeout(callDeadlineMs)
  return signal ? AbortSignal.any([signal, deadline]) : deadline
}

/** An ask as its channel wants it. */
export function handleOf(ask: Ask): ChannelHandle {
  return {
    reference: ask.reference,
    recipients: ask.recipients,
    ...(ask.state === undefined ? {} : { state: ask.state }),
  }
}

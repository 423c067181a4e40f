import type { ApprovalChannel, CallOptions, ProofKind, Recipient } from './channel.js'
import type { JsonObject } from './json.js'

/** Where an approval stands. `starting` and `pending` are open; of the others only `approved` can still change, to `redeemed` or `expired`. */
export type ApprovalStatus =
  'starting' | 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled' | 'failed' | 'redeemed'

/** How many of the recipients must approve. */
export type ApprovalRule = 'any' | 'all' | { readonly atLeast: number }

/**
 * What a session holds of an approval that it began: neither half is worth anything alone. The store keeps only a digest of the secret.
 */
export interface ApprovalHandle {
  /** 128 random bits, base64url. May be shown. */
  readonly id: string
  /** 256 random bits, base64url. Belongs into the session (or an API caller's one-time token), never into a URL. */
  readonly secret: string
}

/** What is to be approved, by whom, over which channel. */
export interface StartRequest {
  /** A channel given to {@link createApprovals}, or its name. */
  readonly channel: string | ApprovalChannel
  /** The application's own user id, whom the approval is about. 1 to 256 characters. */
  readonly subject: string
  /** The provider's id of the subject. Alone: the subject is the one who is asked. With `recipients`: keeps the requester's aliases out of them. */
  readonly reference?: string
  /** Who is asked instead of the subject alone: 1 to 20 distinct people. Give this or `reference`. */
  readonly recipients?: readonly Recipient[]
  /** `login`, `step-up`, or the application's own name of a transaction: 1 to 64 of `a-z 0-9 . _ : -`. */
  readonly purpose: string
  /** What exactly is approved: plain JSON of strings, integers, booleans, null, arrays and objects; 64 KiB at most. The approval is good for this and nothing else. */
  readonly bound?: JsonObject
  /** What the person reads. 1 to 200 characters; control and direction-changing characters are refused. */
  readonly message: string
  /** Shown beside the message where the provider can: application, place, time. Names 1 to 40 characters, values are cleaned and cut at 200. */
  readonly details?: Readonly<Record<string, string>>
  /** Default `all`, which for one recipient is the same as `any`. */
  readonly rule?: ApprovalRule
  /** One denial ends it. Default false: denied as soon as the rule can't be met any more. */
  readonly vetoes?: boolean
  /** The requester may be one of several recipients. Default false. */
  readonly allowSelf?: boolean
  /** Seconds that the question stays open: 30 to 600. Default is the policy's. */
  readonly ttlSeconds?: number
  /** What this session holds from before for this purpose: a pending one is used again, or replaced, instead of pushing twice. */
  readonly previous?: ApprovalHandle
}

/** What the session that began an approval may know of it. */
export interface ApprovalView {
  readonly id: string
  readonly status: ApprovalStatus
  readonly channel: string
  readonly purpose: string
  readonly proof: ProofKind
  /** What the person is asked. */
  readonly message: string
  /** Proof `compare`: the code to show in the browser. */
  readonly code?: string
  readonly startedAt: Date
  /** When the question ends. */
  readonly expiresAt: Date
  /** When it was decided. */
  readonly decidedAt?: Date
  /** How many of the recipients must approve, and how many have. */
  readonly needed: number
  readonly given: number
}

/** A started approval: keep `id` and `secret` in the session. */
export interface StartedApproval extends ApprovalView, ApprovalHandle {
  /** True when `previous` was still pending for the same thing, and no new push was sent. */
  readonly reused: boolean
}

/** What must still be ended at the provider when the user signs out. Plain JSON; whatever is secret in it is sealed. */
export interface ReleaseHandle {
  readonly channel: string
  readonly reference: string
  readonly recipients: readonly Recipient[]
  readonly state?: JsonObject
}

/** A redeemed approval: the proof that may be acted on, once. */
export interface RedeemedApproval {
  /** The idempotency key for whatever was approved. */
  readonly id: string
  readonly subject: string
  readonly purpose: string
  readonly bound: JsonObject
  readonly channel: string
  /** What `anyOf` calls this factor. */
  readonly factor: string
  readonly amr: readonly string[]
  readonly proof: ProofKind
  /** The time of the factor is the time of the decision. */
  readonly decidedAt: Date
  /** Who approved. */
  readonly approvedBy: readonly Recipient[]
  /** Present where the channel leaves a session at the provider. Give it to {@link Approvals.release} at sign-out. */
  readonly release?: readonly ReleaseHandle[]
}

/** What is redeemed: the session's handle, and what it is to be good for, computed anew from the request at hand. */
export interface RedeemRequest extends ApprovalHandle {
  readonly subject: string
  readonly purpose: string
  readonly bound?: JsonObject
}

/** A decision that a verified callback brings. */
export interface Settlement {
  /** The channel's name. */
  readonly channel: string
  /** The provider's handle of the question. */
  readonly reference: string
  /** Our id, where the provider carried it. Only a hint to find an approval that is still starting. */
  readonly approvalId?: string
  /** The provider's id of the person who decided. Must be one who was asked. */
  readonly recipientReference: string
  readonly status: 'approved' | 'denied'
  /** Milliseconds since the epoch. Kept within the life of the approval so far. */
  readonly decidedAt?: number
  /** The person reported the question as suspicious: approved counts as denied, and there are no more pushes to them until a stronger factor says so. */
  readonly reported?: boolean
}

/**
 * - `settled`: the decision was new, and is stored;
 * - `unchanged`: it was known, or came too late;
 * - `starting`: the approval's start isn't stored yet: repeat the callback;
 * - `unknown`: no approval that we began, or not of this person.
 */
export type SettleResult = 'settled' | 'unchanged' | 'starting' | 'unknown'

/** The life of approvals over all channels. Made by {@link createApprovals}. */
export interface Approvals {
  /** The channels by name. */
  readonly channels: ReadonlyMap<string, ApprovalChannel>
  /**
   * Puts a question to people. Resolves when the provider has taken it (status `pending`) or when it was started before
   * and is still open (`reused`).
   * @throws InvalidInputError, ApprovalLimitedError, StoreUnavailableError, or the provider's error, in which case the approval has failed.
   */
  start(request: StartRequest, call?: CallOptions): Promise<StartedApproval>
  /** Where an approval of this session stands. @throws ApprovalNotFoundError also for a wrong secret. */
  status(handle: ApprovalHandle): Promise<ApprovalView>
  /** Resolves when it is no longer open, or after `timeoutMs` (default 25,000) with the status of then. Rejects with the signal's reason. */
  wait(handle: ApprovalHandle, options?: CallOptions & { readonly timeoutMs?: number }): Promise<ApprovalView>
  /**
   * Uses an approved approval, once: of many simultaneous calls in all processes one resolves.
   * @throws ApprovalNotFoundError, ApprovalNotRedeemableError
   */
  redeem(request: RedeemRequest): Promise<RedeemedApproval>
  /** Gives an open approval up. Others keep their state. */
  cancel(handle: ApprovalHandle): Promise<ApprovalView>
  /** Takes a decision from a verified callback. Idempotent. */
  settle(settlement: Settlement): Promise<SettleResult>
  /** A hint (an unsigned callback): asks the provider now instead of at the next interval, at most once a second. */
  nudge(settlement: { readonly channel: string; readonly reference: string }): Promise<void>
  /** Ends what a redeemed approval left at the provider. Tries at once, and goes on in {@link Approvals.run} until it worked or a day has passed. */
  release(handles: readonly ReleaseHandle[]): Promise<void>
  /** "This was not me": no push to this recipient any more, until {@link Approvals.unlockPush}. */
  lockPush(recipient: { readonly channel: string; readonly reference: string }): Promise<void>
  /** A stronger factor was proved: pushes may be sent again. */
  unlockPush(recipient: { readonly channel: string; readonly reference: string }): Promise<void>
  /** Does the background work (pollers, remote sign-outs, clean-up) until the signal is aborted. Any number of processes may run it. */
  run(options: { readonly signal: AbortSignal }): Promise<void>
}

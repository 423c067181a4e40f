import type { JsonObject } from './json.js'

/**
 * What an approval over a channel proves (NIST SP 800-63B-4 accepts only `transfer`), weakest last:
 * - `transfer`: a secret is carried from one channel to the other (a code, a number to be entered);
 * - `compare`: the same code is shown on both sides and the person compares;
 * - `approve`: plain approve or deny.
 */
export type ProofKind = 'transfer' | 'compare' | 'approve'

/** A person who is asked. */
export interface Recipient {
  /** The application's own id of that person. */
  readonly subject: string
  /** The provider's id of that person. */
  readonly reference: string
}

/** What a channel is asked to put in front of a person. */
export interface ChannelRequest {
  /** Our id of the approval. A channel hands it to the provider where that can carry it back hidden from the person. */
  readonly approvalId: string
  /** What the person reads: 1 to 200 characters, no control or direction-changing characters. */
  readonly message: string
  /** Shown beside the message, where the provider can: application, place, time, amount. */
  readonly details: Readonly<Record<string, string>>
  /** Who is asked; never more than {@link ApprovalChannel.maxRecipients}. */
  readonly recipients: readonly Recipient[]
  /** When the question ends: milliseconds since the epoch. */
  readonly expiresAt: number
}

/** What the provider said when it took the question. */
export interface ChannelStarted {
  /** The provider's handle of the question. Stored, never shown to a browser. 1 to 512 characters. */
  readonly reference: string
  /** When the provider itself ends the question, if it told: milliseconds since the epoch. */
  readonly expiresAt?: number
  /** A code to show in the browser, which the person compares with the one on the device. */
  readonly code?: string
  /** Whatever else the channel needs for `check`, `cancel` and `release`, already sealed if it is secret. Stored with the approval. */
  readonly state?: JsonObject
}

/** How far a question, or one recipient's answer to it, has come. */
export type ChannelStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled' | 'failed'

/** One recipient's answer. */
export interface RecipientDecision {
  /** The recipient's `reference`. */
  readonly reference: string
  readonly status: ChannelStatus
  /** When the person decided, if the provider tells: milliseconds since the epoch. */
  readonly decidedAt?: number
}

/** What the provider says of a question now. */
export interface ChannelAnswer {
  /** One entry for each recipient of the request, in any order. One that is missing counts as still pending. */
  readonly decisions: readonly RecipientDecision[]
  /** The person reported the question as suspicious ("this was not me"). Then nothing in the answer counts as approved. */
  readonly reported?: boolean
}

/**
 * Whether somebody who approved is still there, where a provider can tell:
 * - `present`: authenticated now;
 * - `away`: not now, but may come back (the device went out of reach);
 * - `ended`: signed out from outside, or gone for good.
 */
export type PresenceStatus = 'present' | 'away' | 'ended'

/** What identifies a started question to its channel. */
export interface ChannelHandle {
  readonly reference: string
  readonly recipients: readonly Recipient[]
  readonly state?: JsonObject
}

/** Options of one call. */
export interface CallOptions {
  /** Abandons the call; what the provider did already stays done. */
  readonly signal?: AbortSignal
}

/**
 * A provider's way of asking a person out of band: the port that lets a client serve approvals. Implementations live in
 * a provider's `channel.ts`; an application may bring its own.
 *
 * `start` is never repeated by us: when it throws, the outcome is unknown and the approval has failed.
 * Everything but the exact documented answer must throw or map to a status that lets nobody in.
 */
export interface ApprovalChannel {
  /** Unique among the channels of one `createApprovals`, such as `authy`. Lower-case letters, digits and hyphens. */
  readonly name: string
  /** What `anyOf` calls a factor proved over this channel: `push`, `passbyme`, `activeconnect`, ... */
  readonly factor: string
  /** RFC 8176 values of that factor. */
  readonly amr: readonly string[]
  readonly proof: ProofKind
  /** How many people one question can be put to. More recipients become several questions. Default 1. */
  readonly maxRecipients?: number
  /** Milliseconds between two checks that the provider asks for. Default 2000. */
  readonly pollIntervalMs?: number
  /** Longest life of a question at the provider, in seconds. Default 600. */
  readonly maxTtlSeconds?: number
  /**
   * True where a question, and the session that answers it, go on at the provider when the approval has expired here. Then
   * `cancel` is called for what expired, also for what was approved and never redeemed. Default false.
   */
  readonly outlives?: boolean
  /** False where the device can't show `message`. Such a channel serves logins, never transactions. Default true. */
  readonly showsMessage?: boolean

  /** Puts the question to the people. Resolves when the provider has taken it. */
  start(request: ChannelRequest, call: CallOptions): Promise<ChannelStarted>
  /** Asks the provider how far the question has come. Harmless to repeat. */
  check(handle: ChannelHandle, call: CallOptions): Promise<ChannelAnswer>
  /**
   * Whether an error of `check` is the end of the question: the provider refuses to tell, or contradicts itself. Then whoever
   * has not answered has failed to. Of any other error, and where this is left out, nobody is let in and the check is repeated.
   */
  isFinal?(error: unknown): boolean
  /** Withdraws the question. Left out where the provider can't. */
  cancel?(handle: ChannelHandle, call: CallOptions): Promise<void>
  /** Ends what the approval left behind at the provider (a remote session), at sign-out. */
  release?(handle: ChannelHandle, call: CallOptions): Promise<void>
  /** The provider's one id of a person behind a reference (who may have several aliases), to keep recipients distinct people. */
  identify?(reference: string, call: CallOptions): Promise<string>
  /** Whether the person is still there. Asked again and again while they are signed in; harmless to repeat. Throws when the provider can't be asked. */
  presence?(handle: ChannelHandle, call: CallOptions): Promise<PresenceStatus>
}

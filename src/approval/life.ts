import type { ApprovalStatus } from './approvals-types.js'
import type { ProofKind, Recipient } from './channel.js'
import type { JsonObject } from './json.js'

/** How one recipient's part ended. */
export interface Decision {
  readonly reference: string
  readonly status: 'approved' | 'denied' | 'expired' | 'cancelled' | 'failed'
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** One question as the provider took it. */
export interface Ask {
  readonly reference: string
  readonly recipients: readonly Recipient[]
  readonly state?: JsonObject
}

/** An approval as the store holds it. Times are milliseconds since the epoch. */
export interface ApprovalRecord {
  readonly v: 1
  readonly id: string
  /** SHA-256 of the session's secret, base64url. */
  readonly secretDigest: string
  readonly channel: string
  readonly factor: string
  readonly amr: readonly string[]
  readonly proof: ProofKind
  readonly subject: string
  readonly purpose: string
  readonly bound: JsonObject
  /** SHA-256 over purpose, subject and bound. */
  readonly binding: string
  readonly message: string
  readonly recipients: readonly Recipient[]
  /** How many must approve. */
  readonly needed: number
  readonly vetoes: boolean
  readonly status: ApprovalStatus
  readonly asks: readonly Ask[]
  readonly code?: string
  readonly decisions: readonly Decision[]
  readonly startedAt: number
  readonly expiresAt: number
  readonly decidedAt?: number
  readonly redeemedAt?: number
}

/** What can happen to an approval. */
export type LifeEvent =
  | { readonly type: 'taken'; readonly asks: readonly Ask[]; readonly expiresAt: number; readonly code?: string }
  | { readonly type: 'start-failed'; readonly asks: readonly Ask[] }
  | { readonly type: 'decided'; readonly decisions: readonly (Omit<Decision, 'at'> & { readonly at?: number })[] }
  | { readonly type: 'cancel' }
  | { readonly type: 'redeem' }
  | { readonly type: 'tick' }

/** An approved approval can be redeemed for this long after the decision, or until its expiry, whichever is later. Milliseconds. */
export const redeemWindowMs = 60_000

/** A start whose outcome isn't stored after this long has failed: the process that made it is gone. Milliseconds. */
export const startDeadlineMs = 60_000

/** True while a decision is still awaited. */
export function isOpen(record: ApprovalRecord): boolean {
  return record.status === 'starting' || record.status === 'pending'
}

/** The last moment at which an approved approval can be redeemed. */
export function redeemableUntil(record: ApprovalRecord): number {
  return Math.max((record.decidedAt ?? record.startedAt) + redeemWindowMs, record.expiresAt)
}

/**
 * The life of an approval, as a pure function: what the record becomes when `event` happens at `now`. Returns the same
 * object when nothing changes. A status that isn't open never changes, but for `approved`, which becomes `redeemed` once
 * or `expired` when nobody redeemed it in time.
 */
export function step(record: ApprovalRecord, event: LifeEvent, now: number): ApprovalRecord {
  const current = withTime(record, now)
  switch (event.type) {
    case 'taken':
      return current.status === 'starting' ? taken(current, event, now) : current
    case 'start-failed':
      return current.status === 'starting'
        ? { ...current, status: 'failed', asks: event.asks, decidedAt: now }
        : current
    case 'decided':
      return current.status === 'pending' ? decided(current, event.decisions, now) : current
    case 'cancel':
      return isOpen(current) ? { ...current, status: 'cancelled', decidedAt: now } : current
    case 'redeem':
      return current.status === 'approved' ? { ...current, status: 'redeemed', redeemedAt: now } : current
    case 'tick':
      return current
  }
}

function withTime(record: ApprovalRecord, now: number): ApprovalRecord {
  if (record.status === 'starting' && now >= Math.min(record.startedAt + startDeadlineMs, record.expiresAt)) {
    return { ...record, status: 'failed', decidedAt: now }
  }
  if (record.status === 'pending' && now >= record.expiresAt) return { ...record, status: 'expired', decidedAt: now }
  if (record.status === 'approved' && now > redeemableUntil(record)) return { ...record, status: 'expired' }
  return record
}

function taken(record: ApprovalRecord, event: LifeEvent & { type: 'taken' }, now: number): ApprovalRecord {
  const pending: ApprovalRecord = {
    ...record,
    status: 'pending',
    asks: event.asks,
    expiresAt: Math.min(record.expiresAt, event.expiresAt),
    ...(event.code === undefined ? {} : { code: event.code }),
  }
  return withTime(pending, now)
}

function decided(
  record: ApprovalRecord,
  news: readonly (Omit<Decision, 'at'> & { readonly at?: number })[],
  now: number,
): ApprovalRecord {
  const known = new Set(record.decisions.map((decision) => decision.reference))
  const asked = new Set(record.recipients.map((recipient) => recipient.reference))
  const added: Decision[] = []
  for (const { reference, status, at } of news) {
    // A first decision stands; somebody who wasn't asked has no say.
    if (!asked.has(reference) || known.has(reference)) continue
    known.add(reference)
    added.push({ reference, status, at: Math.min(Math.max(at ?? now, record.startedAt), now) })
  }
  if (added.length === 0) return record
  return judged({ ...record, decisions: [...record.decisions, ...added] })
}

function judged(record: ApprovalRecord): ApprovalRecord {
  const having = (status: Decision['status']): Decision[] => record.decisions.filter((entry) => entry.status === status)
  const approvals = having('approved')
  const denials = having('denied')
  const latest = Math.max(...record.decisions.map((entry) => entry.at))
  if (record.vetoes && denials.length > 0) return { ...record, status: 'denied', decidedAt: latest }
  if (approvals.length >= record.needed) {
    const times = approvals.map((entry) => entry.at).sort((a, b) => a - b)
    return { ...record, status: 'approved', decidedAt: times[record.needed - 1] ?? latest }
  }
  const lost = record.decisions.length - approvals.length
  if (record.recipients.length - lost >= record.needed) return record
  return { ...record, status: outOfReach(denials, having('expired'), having('cancelled'), lost), decidedAt: latest }
}

function outOfReach(
  denials: readonly Decision[],
  expired: readonly Decision[],
  cancelled: readonly Decision[],
  lost: number,
): ApprovalStatus {
  if (denials.length > 0) return 'denied'
  if (expired.length === lost) return 'expired'
  return cancelled.length === lost ? 'cancelled' : 'failed'
}

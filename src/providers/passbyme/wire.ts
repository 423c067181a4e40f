import { z } from 'zod'

/** What became of one recipient's copy of a message, in the provider's own words. */
export const PassByMeStatus = {
  /** Accepted; nothing delivered yet. */
  PENDING: 'PENDING',
  /** The push notification reached the phone. */
  NOTIFIED: 'NOTIFIED',
  /** The phone has fetched the message. */
  DOWNLOADED: 'DOWNLOADED',
  /** The notification did not get through. Not the end: a person may open the app by hand. */
  NOT_NOTIFIED: 'NOT_NOTIFIED',
  /** Read. Says nothing about consent. */
  SEEN: 'SEEN',
  /** Approved on the phone: the only success of an authorization. */
  APPROVED: 'APPROVED',
  /** Refused on the phone. */
  DENIED: 'DENIED',
  /** Notified, never fetched in time. */
  NOT_DOWNLOADED: 'NOT_DOWNLOADED',
  /** Fetched, never answered in time. */
  NOT_SEEN: 'NOT_SEEN',
  /** The user has no phone that can take messages. */
  NO_DEVICE: 'NO_DEVICE',
  /** The user is disabled. */
  DISABLED: 'DISABLED',
  /** Could not be sent because of an error. */
  FAILED: 'FAILED',
  /** Withdrawn by the sender. */
  CANCELLED: 'CANCELLED',
} as const

/** One of {@link PassByMeStatus}. The provider may answer others; those are no success and no end. */
export type PassByMeStatus = (typeof PassByMeStatus)[keyof typeof PassByMeStatus]

/** The kinds of message. */
export const PassByMeMessageType = { AUTHORIZATION: 'authorization', MESSAGE: 'message', ESIGN: 'esign' } as const

/** One of {@link PassByMeMessageType}. */
export type PassByMeMessageType = (typeof PassByMeMessageType)[keyof typeof PassByMeMessageType]

/** What a recipient's status means for the message. */
export type PassByMeVerdict =
  'pending' | 'approved' | 'seen' | 'denied' | 'expired' | 'cancelled' | 'undeliverable' | 'error'

const verdicts: Readonly<Record<PassByMeStatus, PassByMeVerdict>> = {
  PENDING: 'pending',
  NOTIFIED: 'pending',
  DOWNLOADED: 'pending',
  NOT_NOTIFIED: 'pending',
  SEEN: 'seen',
  APPROVED: 'approved',
  DENIED: 'denied',
  NOT_DOWNLOADED: 'expired',
  NOT_SEEN: 'expired',
  NO_DEVICE: 'undeliverable',
  DISABLED: 'undeliverable',
  FAILED: 'error',
  CANCELLED: 'cancelled',
}

const known: ReadonlyMap<string, PassByMeVerdict> = new Map(Object.entries(verdicts))

/**
 * What a status means for a message of that type. What is still open when the message has expired is `expired`, also a status that nobody documents.
 *
 * `SEEN` is a success of `message` and `esign` only. On an authorization it counts like `DOWNLOADED`, and `APPROVED` counts nowhere else.
 */
export function passByMeVerdict(status: string, type: PassByMeMessageType, hasExpired = false): PassByMeVerdict {
  const verdict = known.get(status) ?? 'pending'
  const isOfType =
    verdict === 'seen' ? type !== 'authorization' : verdict === 'approved' ? type === 'authorization' : true
  const meant = isOfType ? verdict : 'pending'
  return meant === 'pending' && hasExpired ? 'expired' : meant
}

const ranks: ReadonlyMap<string, number> = new Map([
  ['PENDING', 0],
  ['NOT_NOTIFIED', 0],
  ['NOTIFIED', 1],
  ['DOWNLOADED', 2],
])

/**
 * Whether a recipient of a message of that type may be seen to go from one status to the other. A poller sees samples, so
 * any jump forward is possible; nothing leaves a terminal status, and nothing goes back.
 */
export function isPossibleTransition(from: string, to: string, type: PassByMeMessageType): boolean {
  // Read on the way to an answer: on an authorization that is as good as fetched, and no end.
  if (type === 'authorization' && (from === 'SEEN' || to === 'SEEN'))
    return isPossibleTransition(asFetched(from), asFetched(to), 'message')
  if (from === to) return true
  // A word that we don't know may stand for any step on the way, so it neither forbids nor proves anything.
  if (!known.has(from) || !known.has(to)) return !known.has(from) || ranks.has(from)
  const before = ranks.get(from) ?? 3
  if (before === 3) return false
  // Within rank 0: a notification that failed may be told late, and one that was told may still fail at expiry.
  return (ranks.get(to) ?? 3) >= before
}

function asFetched(status: string): string {
  return status === 'SEEN' ? 'DOWNLOADED' : status
}

/** A recipient in the provider's answers. */
export interface PassByMeRecipient {
  /** The id exactly as it was given to `recipients`. */
  readonly userId: string
  /** A {@link PassByMeStatus}, or whatever else the provider said. */
  readonly status: string
}

const isoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/

/** The provider's SessionInfo. Unknown fields are ignored. */
export const sessionInfoSchema = z.object({
  messageId: z.string().min(1).max(512),
  expirationDate: z
    .string()
    .regex(isoDate)
    .transform((text) => new Date(text))
    .refine((date) => !Number.isNaN(date.getTime())),
  recipients: z.array(z.object({ userId: z.string(), status: z.string() })).refine(isWithoutRepeats),
  secureId: z.string().max(64).nullish(),
})

function isWithoutRepeats(recipients: readonly { readonly userId: string }[]): boolean {
  return new Set(recipients.map(({ userId }) => userId)).size === recipients.length
}

/** The body of status 420. The code is normally a text; test suites of two official clients use a number. */
export const serviceErrorSchema = z.object({
  code: z.union([z.string(), z.number()]).transform(String),
  message: z.string().nullish(),
})

/** Characters at most; code points are counted. */
export const LIMITS = { subject: 254, body: 4094, authentication: 255, callbackUrl: 2048 } as const

/** The body of a send, in the order in which two official clients write it. */
export interface SendBody {
  readonly recipients: readonly string[]
  readonly subject: string | null
  readonly body: string | null
  readonly availability: number
  readonly type: PassByMeMessageType
  readonly callbackUrl: string | null
}

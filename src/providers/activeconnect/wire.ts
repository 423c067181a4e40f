import { z } from 'zod'

/** Where a session stands, in the provider's own words; `time_out` is read as `timeout`, any other word as `unknown`. */
export const ActiveconnectStatus = {
  /** The request was sent; the phone has not reacted. */
  PENDING: 'pending',
  /** The phone is working on it. */
  IDENTIFYING: 'identifying',
  /** The user is authenticated: the only status that lets anyone in. */
  ACTIVE: 'active',
  /** Was active; the phone is no longer near. Suspended, not ended. */
  WALKAWAY: 'walkaway',
  /** Nobody reacted in time. */
  TIMEOUT: 'timeout',
  /** Authentication failed. */
  FAILED: 'failed',
  /** Refused on the phone. */
  CANCELLED: 'cancelled',
  /** Ended by the application, the phone, an administrator or the service. */
  CLOSED: 'closed',
  /** A word that the provider does not document: counts as ended. */
  UNKNOWN: 'unknown',
} as const

/** One of {@link ActiveconnectStatus}. */
export type ActiveconnectStatus = (typeof ActiveconnectStatus)[keyof typeof ActiveconnectStatus]

/** The proofs that a phone can be asked for. */
export type ActiveconnectMethod = 'acceptance' | 'device' | 'facial'

/** All of them, in the order in which they are sent. */
export const ACTIVECONNECT_METHODS: readonly ActiveconnectMethod[] = ['acceptance', 'device', 'facial']

/** Reads the provider's word. */
export function readStatus(word: string): ActiveconnectStatus {
  if (word === 'time_out') return 'timeout'
  return Object.values(ActiveconnectStatus).find((status) => status === word) ?? 'unknown'
}

/** The phone may still answer. */
export function isInProgress(status: ActiveconnectStatus): boolean {
  return status === 'pending' || status === 'identifying'
}

/** Nothing follows. `walkaway` is no end, and a word that nobody documents is one. */
export function isEnded(status: ActiveconnectStatus): boolean {
  return !isInProgress(status) && status !== 'active' && status !== 'walkaway'
}

/** How every answer of the management API begins. */
export const outcomeSchema = z.object({ status: z.boolean(), reason: z.string().nullish() })

export const addUsersSchema = z.object({
  users: z.object({ created: z.array(z.string()), existing: z.array(z.string()) }),
})

export const registerUrlSchema = z.object({ register_url: z.string().min(1) })

export const deviceSchema = z.object({ device_registered: z.boolean() })

/** The answer to a start. `authenticated` says here that the request was started, not that anybody is. */
export const startSchema = z.object({
  authentication_status: z.object({ authenticated: z.boolean(), reason: z.string().nullish() }),
})

const filled = z.string().min(1).max(4096)

/** What a start that worked carries as well. */
export const startedSchema = z.object({
  authentication_status: z.object({
    authenticated: z.literal(true),
    session_status: filled,
    status_url: filled,
    logout_url: filled,
    session_token: filled.regex(/^[^\s:]+$/),
    session_secret: filled,
  }),
})

const statusFields = { session_status: z.string(), authenticated: z.boolean().nullish() }
const nestedStatusSchema = z.object({ authentication_status: z.object(statusFields) })
const flatStatusSchema = z.object(statusFields)

/**
 * Reads the answer of a status URL: nested (the vendor's code), flat (its documentation), or both if they agree.
 * Undefined if it is neither, or contradicts itself.
 */
export function readStatusAnswer(body: unknown): ActiveconnectStatus | undefined {
  const nested = nestedStatusSchema.safeParse(body).data?.authentication_status
  const flat = flatStatusSchema.safeParse(body).data
  const answer = nested ?? flat
  if (answer === undefined || mentionsUnreadable(body, nested, flat)) return undefined
  if (
    nested &&
    flat &&
    (nested.session_status !== flat.session_status || nested.authenticated !== flat.authenticated)
  ) {
    return undefined
  }
  // "active" beside "authenticated: false" is a contradiction, and lets nobody in.
  if (answer.session_status === 'active' && answer.authenticated === false) return undefined
  return readStatus(answer.session_status)
}

// A form that is there but can't be read must not be passed over in favour of the other one.
function mentionsUnreadable(body: unknown, nested: unknown, flat: unknown): boolean {
  if (typeof body !== 'object' || body === null) return true
  return ('authentication_status' in body && !nested) || ('session_status' in body && !flat)
}

/** A session as the vendor's own client serialises it. It holds a live credential. */
export const serialisedSessionSchema = z.strictObject({
  session_token: z.string().min(1).nullable(),
  session_secret: z.string().min(1).nullable(),
  logout_url: z.string().min(1).nullable(),
  status_url: z.string().min(1).nullable(),
  failure_reason: z.string().nullable(),
  session_status: z.enum(ActiveconnectStatus),
})

/** What {@link serialisedSessionSchema} reads. */
export type SerialisedSession = z.output<typeof serialisedSessionSchema>

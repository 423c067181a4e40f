import { isHash, type ParamHash } from './params.js'
import { hexId, isoSeconds, seconds, uuid } from './ids.js'
import type { AuthyDevice, AuthyUser } from './user.js'

export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired'

export interface Logo {
  readonly res: string
  readonly url: string
}

export interface ApprovalContent {
  readonly message: string
  /** In the order in which they came. */
  readonly details: readonly (readonly [name: string, value: string])[] | null
  readonly hiddenDetails: readonly (readonly [name: string, value: string])[] | null
  readonly logos: readonly Logo[] | null
  /** 0: never. */
  readonly secondsToExpire: number
}

export interface Answer {
  readonly status: 'approved' | 'denied'
  /** The person reported the request as suspicious. */
  readonly flagged: boolean
  readonly device: AuthyDevice
  readonly at: number
}

/** One OneTouch request. A final state never changes. */
export class Approval {
  readonly uuid = uuid()
  readonly hexId = hexId()
  readonly user: AuthyUser
  readonly content: ApprovalContent
  readonly createdAt: number
  answer: Answer | undefined
  notified = false

  constructor(user: AuthyUser, content: ApprovalContent, createdAt: number) {
    this.user = user
    this.content = content
    this.createdAt = createdAt
  }

  /** Milliseconds, in whole seconds as the service counts; null: never. */
  get expiresAt(): number | null {
    if (this.content.secondsToExpire === 0) return null
    return (seconds(this.createdAt) + this.content.secondsToExpire) * 1000
  }

  status(now: number): ApprovalStatus {
    if (this.answer) return this.answer.status
    return this.expiresAt !== null && now >= this.expiresAt ? 'expired' : 'pending'
  }

  /** The body of a read. */
  describe(app: { name: string; id: number; hexId: string }, now: number): object {
    const status = this.status(now)
    const processedAt = this.answer?.at ?? (status === 'expired' ? this.expiresAt : null)
    return {
      _app_name: app.name,
      _app_serial_id: app.id,
      _authy_id: this.user.id,
      _id: this.hexId,
      _user_email: this.user.emails[0] ?? '',
      app_id: app.hexId,
      created_at: isoSeconds(this.createdAt),
      notified: this.notified,
      processed_at: processedAt === null ? null : isoSeconds(processedAt),
      seconds_to_expire: this.content.secondsToExpire,
      status,
      updated_at: isoSeconds(processedAt ?? this.createdAt),
      user_id: this.user.hexId,
      uuid: this.uuid,
    }
  }
}

/** Reads the parameters of a new request. Gives the name of the bad one and what is wrong with it. */
export function readContent(params: ParamHash): ApprovalContent | { readonly bad: string; readonly why: string } {
  const { message } = params
  if (message === undefined || message === null) return { bad: 'message', why: 'Parameter is required' }
  if (typeof message !== 'string') return { bad: 'message', why: 'Parameter must be text' }
  if (message.trim() === '') return { bad: 'message', why: 'Parameter is required' }
  const details = readDetails(params['details'])
  if (details === undefined) return { bad: 'details', why: 'Parameter must be a hash of text' }
  const hiddenDetails = readDetails(params['hidden_details'])
  if (hiddenDetails === undefined) return { bad: 'hidden_details', why: 'Parameter must be a hash of text' }
  const logos = readLogos(params['logos'])
  if (logos === undefined) return { bad: 'logos', why: 'Parameter must be an array of res and url' }
  const secondsToExpire = readExpiry(params['seconds_to_expire'])
  if (secondsToExpire === undefined) return { bad: 'seconds_to_expire', why: 'Parameter must be an integer, 0 or more' }
  return { message, details, hiddenDetails, logos, secondsToExpire }
}

type Value = ParamHash[string] | undefined

function readDetails(value: Value): ApprovalContent['details'] | undefined {
  if (value === undefined || value === null || value === '') return null
  if (typeof value !== 'object' || Array.isArray(value)) return undefined
  const entries = Object.entries(value).map(([name, entry]) =>
    typeof entry === 'object' ? undefined : ([name, String(entry)] as const),
  )
  return entries.some((entry) => entry === undefined) ? undefined : entries.flatMap((entry) => (entry ? [entry] : []))
}

function readLogos(value: Value): ApprovalContent['logos'] | undefined {
  if (value === undefined || value === null || value === '') return null
  if (typeof value !== 'object') return undefined
  // A form with indexes (`logos[0][res]`) arrives as a hash of its indexes.
  const list = Object.values(value)
  const logos = list.flatMap((entry): Logo[] => {
    if (!isHash(entry)) return []
    const { res, url } = entry
    return typeof res === 'string' && typeof url === 'string' ? [{ res, url }] : []
  })
  if (logos.length !== list.length) return undefined
  return logos.length === 0 ? null : logos
}

function readExpiry(value: Value): number | undefined {
  if (value === undefined || value === null || value === '') return 86_400
  if (typeof value !== 'number' && !(typeof value === 'string' && /^[0-9]{1,10}$/.test(value))) return undefined
  const number = Number(value)
  return Number.isInteger(number) && number >= 0 && number <= 2_147_483_647 ? number : undefined
}

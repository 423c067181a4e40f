import { randomInt } from 'node:crypto'
import type { StandInContext } from '../stand-in.js'
import { Approval, type ApprovalContent } from './approval.js'
import { hexId, uuid } from './ids.js'
import { Limits } from './limits.js'
import { monthOf, type MonthRow } from './stats.js'
import { AuthyUser } from './user.js'

/** A number that is being verified, without any user. */
export interface PhoneVerification {
  readonly uuid: string
  readonly phone: string
  readonly code: string
  readonly expiresAt: number
  wrongTries: number
  verified: boolean
}

/** What is known about a number. Everything is possible unless somebody said otherwise. */
export interface NumberInfo {
  readonly type: 'voip' | 'landline' | 'cellphone' | 'unknown'
  readonly provider: string | null
  readonly ported: boolean
  /** Some carrier serves it. */
  readonly provisioned: boolean
  /** Looking it up works. */
  readonly known: boolean
}

export const ordinaryNumber: NumberInfo = {
  type: 'cellphone',
  provider: 'Sandbox Wireless',
  ported: false,
  provisioned: true,
  known: true,
}

/** What is switched on or off for the whole application. */
export interface AuthySwitches {
  smsEnabled: boolean
  callsEnabled: boolean
  oneTouchEnabled: boolean
  accountSuspended: boolean
  customMessages: boolean
  customCodes: boolean
  genericTokens: boolean
  exportEnabled: boolean
  bannedCountries: readonly string[]
}

export interface AuthySettings {
  readonly apiKey: string
  readonly appName: string
  readonly appId: number
  readonly firstAuthyId: number
  readonly magicValues: boolean
  readonly oldAnswers: boolean
  readonly enrolAtOnce: boolean
  readonly limits: { readonly requestsPerMinute: number; readonly tokensPerTenMinutes: number } | false
}

/** Everything that the stand-in remembers. */
export class AuthyState {
  readonly settings: AuthySettings
  readonly context: StandInContext
  readonly limits: Limits
  readonly appHexId = hexId()
  /** The customer's serial number in callbacks. */
  readonly customerId = randomInt(10_000, 99_999)
  readonly verifications = new Map<string, PhoneVerification>()
  readonly approvals = new Map<string, Approval>()
  readonly numbers = new Map<string, NumberInfo>()
  readonly activities: { authyId: number; type: string; data: unknown; userIp: string | undefined; at: number }[] = []
  /** QR codes by path. */
  readonly pictures = new Map<string, Buffer>()
  readonly months = new Map<string, MonthRow>()
  readonly switches: AuthySwitches = {
    smsEnabled: true,
    callsEnabled: true,
    oneTouchEnabled: true,
    accountSuspended: false,
    customMessages: true,
    customCodes: true,
    genericTokens: true,
    exportEnabled: true,
    bannedCountries: [],
  }
  readonly #users = new Map<number, AuthyUser>()
  #nextId: number

  constructor(settings: AuthySettings, context: StandInContext) {
    this.settings = settings
    this.context = context
    this.limits = new Limits(settings.limits)
    this.#nextId = settings.firstAuthyId
  }

  now(): number {
    return this.context.now()
  }

  users(): readonly AuthyUser[] {
    const now = this.now()
    return [...this.#users.values()].filter((user) => !user.isGone(now))
  }

  user(id: number): AuthyUser | undefined {
    const user = this.#users.get(id)
    return user && !user.isGone(this.now()) ? user : undefined
  }

  userByPhone(countryCode: string, cellphone: string): AuthyUser | undefined {
    return this.users().find((user) => user.countryCode === countryCode && user.cellphone === cellphone)
  }

  userByCustomId(customId: string): AuthyUser | undefined {
    return this.users().find((user) => user.customId === customId)
  }

  addUser(who: { countryCode: string; cellphone: string; customId?: string }): AuthyUser {
    const user = new AuthyUser({ ...who, id: this.#nextId++, createdAt: this.now() })
    this.#users.set(user.id, user)
    this.count('users_count')
    this.context.hub.changed()
    return user
  }

  addApproval(user: AuthyUser, content: ApprovalContent): Approval {
    const approval = new Approval(user, content, this.now())
    this.approvals.set(approval.uuid, approval)
    this.context.hub.changed()
    return approval
  }

  startVerification(phone: string, code: string, lifeMs: number): PhoneVerification {
    const verification = { uuid: uuid(), phone, code, expiresAt: this.now() + lifeMs, wrongTries: 0, verified: false }
    this.verifications.set(phone, verification)
    return verification
  }

  number(phone: string): NumberInfo {
    return this.numbers.get(phone) ?? ordinaryNumber
  }

  count(what: 'sms_count' | 'calls_count' | 'users_count' | 'auths_count' | 'api_calls_count'): void {
    monthOf(this.months, this.now())[what] += 1
  }
}

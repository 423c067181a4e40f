import { randomInt } from 'node:crypto'
import { Authenticator } from './totp.js'
import { hexId } from './ids.js'

export type DeviceOs = 'android' | 'android_tablet' | 'ios' | 'iphone' | 'ipad' | 'authy_chrome'

export interface AuthyDevice {
  readonly id: number
  readonly os: DeviceOs
  readonly name: string
  readonly createdAt: number
}

/** A code that was sent by text, call or mail. It is a normal token of the user, for a while. */
interface SentCode {
  readonly code: string
  readonly action: string | undefined
  readonly via: 'sms' | 'voice' | 'mail'
  readonly expiresAt: number
  used: boolean
}

export type Verdict =
  | { readonly kind: 'good'; readonly via: 'sms' | 'voice' | 'mail' | 'app' }
  | { readonly kind: 'used' }
  | { readonly kind: 'bad' }

const sentCodeLifeMs = 600_000
const removalMs = 24 * 3600 * 1000

/** One person at the service. */
export class AuthyUser {
  readonly id: number
  readonly hexId = hexId()
  readonly countryCode: string
  readonly cellphone: string
  /** The application's own id, for people who were registered without phone and e-mail. */
  readonly customId: string | undefined
  readonly emails: string[] = []
  readonly devices: AuthyDevice[] = []
  readonly app = new Authenticator()
  readonly createdAt: number
  confirmed = false
  suspended = false
  smsBlocked = false
  hasHardToken = false
  removedAt: number | undefined
  #registered: boolean | undefined
  #sent: SentCode[] = []

  constructor(given: { id: number; countryCode: string; cellphone: string; customId?: string; createdAt: number }) {
    this.id = given.id
    this.countryCode = given.countryCode
    this.cellphone = given.cellphone
    this.customId = given.customId
    this.createdAt = given.createdAt
  }

  /** `+` and digits; `''` for somebody without a phone number. */
  get phone(): string {
    return this.cellphone === '' ? '' : `+${this.countryCode}${this.cellphone}`
  }

  /** Who this is, on the simulated phone. */
  get recipient(): string {
    return this.phone || (this.customId ?? String(this.id))
  }

  /** The person has the app: there is a device, unless the switch says otherwise. */
  get registered(): boolean {
    return this.#registered ?? this.devices.length > 0
  }

  set registered(value: boolean | undefined) {
    this.#registered = value
  }

  addDevice(os: DeviceOs, name: string, now: number): AuthyDevice {
    const device = { id: randomInt(100_000, 2_000_000_000), os, name, createdAt: now }
    this.devices.push(device)
    return device
  }

  /** Removal takes effect after a day; until then everything still works. */
  isGone(now: number): boolean {
    return this.removedAt !== undefined && now >= this.removedAt + removalMs
  }

  /** The code to send: the one that was sent before, while it can still be used for this action. */
  codeToSend(via: SentCode['via'], action: string | undefined, now: number): string {
    this.#sent = this.#sent.filter((sent) => sent.expiresAt > now)
    const before = this.#sent.find((sent) => !sent.used && sent.action === action && sent.via === via)
    if (before) return before.code
    const code = String(randomInt(0, 10_000_000)).padStart(7, '0')
    this.#sent.push({ code, action, via, expiresAt: now + sentCodeLifeMs, used: false })
    return code
  }

  take(token: string, action: string | undefined, now: number): Verdict {
    const sent = this.#sent.find(
      (entry) => entry.code === token && entry.expiresAt > now && (entry.action ?? action) === action,
    )
    if (sent?.used) return { kind: 'used' }
    if (sent) {
      sent.used = true
      return { kind: 'good', via: sent.via }
    }
    const kind = this.app.take(token, now)
    return kind === 'good' ? { kind, via: 'app' } : { kind }
  }
}

import { createHmac, randomInt, randomUUID, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { StateStore } from '../approval/state-store.js'
import type { SmsOutcome, SmsSender } from './senders.js'

/** How a phone is verified: who makes the code, sends it and checks it. Limits, normal form and events are the service's. */
export interface PhoneVerification {
  /** Sends a code. Replaces an older one that is still out. */
  start(request: { readonly phone: string; readonly resend: boolean }): Promise<SmsOutcome>
  /** True for the right code, once. */
  check(request: { readonly phone: string; readonly code: string }): Promise<boolean>
  /** Forgets a code that is out. */
  drop(phone: string): Promise<void>
}

/** Makes a code: 4 to 8 digits. */
export type CodeGenerator = (digits: number) => string

/** Codes from the cryptographic source, every one as likely as any other, leading zeros kept. */
export const randomCode: CodeGenerator = (digits) => String(randomInt(10 ** digits)).padStart(digits, '0')

export interface CodeVerificationOptions {
  readonly state: StateStore
  readonly namespace: string
  /** Digests codes, so that the store doesn't tell them. */
  readonly key: Buffer
  readonly sender: SmsSender
  readonly generate: CodeGenerator
  readonly digits: number
  readonly lifetimeSeconds: number
  readonly attempts: number
  /** `{token}` stands for the code. */
  readonly message: string
  readonly from: string
  /** Numbers that get the fixed code and no message. */
  readonly testNumbers: ReadonlySet<string>
  readonly testCode: string
}

const recordSchema = z.object({ id: z.string(), digest: z.string() })

/** Verification by codes of our own: digests in the state store, a few tries each, used up by the first right one. */
export class CodeVerification implements PhoneVerification {
  readonly #options: CodeVerificationOptions

  constructor(options: CodeVerificationOptions) {
    this.#options = options
  }

  async start({ phone, resend }: { readonly phone: string; readonly resend: boolean }): Promise<SmsOutcome> {
    const { state, lifetimeSeconds, generate, digits, sender, message, from, testNumbers, testCode } = this.#options
    const isTest = testNumbers.has(phone)
    const code = isTest ? testCode : generate(digits)
    const id = randomUUID()
    await state.put(this.#key('code', phone), { id, digest: this.#digest(id, code) }, { ttlMs: lifetimeSeconds * 1000 })
    if (isTest) return { status: 'sent' }
    return sender.send({ from, to: phone, text: message.replace('{token}', () => code), retry: resend })
  }

  async check({ phone, code }: { readonly phone: string; readonly code: string }): Promise<boolean> {
    const { state, lifetimeSeconds, attempts } = this.#options
    const stored = await state.get(this.#key('code', phone))
    const record = recordSchema.safeParse(stored?.value)
    if (!record.success) return false
    const { id, digest } = record.data
    const ttlMs = lifetimeSeconds * 1000
    // The try is counted before the comparison: a hundred at once are compared no more often than five in a row.
    const { count } = await state.increment(this.#key('tries', id), { windowMs: ttlMs })
    if (count > attempts) return false
    if (!timingSafeEqual(Buffer.from(digest), Buffer.from(this.#digest(id, code)))) return false
    // Two right answers at once: the mark is made by one of them.
    if (!(await state.putIfAbsent(this.#key('used', id), true, { ttlMs }))) return false
    const current = recordSchema.safeParse((await state.get(this.#key('code', phone)))?.value)
    if (current.success && current.data.id === id) await state.delete(this.#key('code', phone))
    return true
  }

  async drop(phone: string): Promise<void> {
    await this.#options.state.delete(this.#key('code', phone))
  }

  #key(kind: string, subject: string): string {
    return `${this.#options.namespace}:phone-${kind}:${createHmac('sha256', this.#options.key).update(subject).digest('base64url')}`
  }

  #digest(id: string, code: string): string {
    return createHmac('sha256', this.#options.key).update(`code ${id} ${code}`).digest('base64url')
  }
}

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { StateStore } from '../approval/state-store.js'
import { refusals } from './refusal.js'
import { emailKey, type UserRecord } from './user-store.js'

const recordSchema = z.object({ digest: z.string(), epoch: z.number(), email: z.string(), used: z.boolean() })

/** A reset token that is good, and how to use it up. */
export interface GoodReset {
  readonly userId: number
  readonly epoch: number
  readonly email: string
  /** True for exactly one caller. */
  consume(): Promise<boolean>
}

/**
 * Reset tokens: 256 random bits behind the user's number, only their digest stored, one for each user (a newer one
 * replaces an older one), used up in one compare-and-set. Whether the user still is as they were when the token was
 * made (epoch, address) is for the caller to check.
 */
export class ResetTokens {
  readonly #state: StateStore
  readonly #prefix: string
  readonly #lifetimeMs: number

  constructor(state: StateStore, options: { readonly namespace: string; readonly lifetimeSeconds: number }) {
    this.#state = state
    this.#prefix = `${options.namespace}:reset`
    this.#lifetimeMs = options.lifetimeSeconds * 1000
  }

  async issue(user: UserRecord): Promise<string> {
    const token = `${user.id}.${randomBytes(32).toString('base64url')}`
    const record = { digest: digest(token), epoch: user.epoch, email: emailKey(user.email), used: false }
    await this.#state.put(this.#key(user.id), record, { ttlMs: this.#lifetimeMs })
    return token
  }

  /** The work of {@link issue} for an address that nobody has, so that both take the same time. */
  async pretend(address: string): Promise<void> {
    const token = `0.${randomBytes(32).toString('base64url')}`
    const record = { digest: digest(token), epoch: 0, email: '', used: true }
    await this.#state.put(`${this.#prefix}:none:${digest(address)}`, record, { ttlMs: 1000 })
  }

  async check(token: string): Promise<GoodReset | undefined> {
    const match = /^([1-9]\d{0,9})\.[A-Za-z0-9_-]{43}$/.exec(token)
    if (match === null) return undefined
    const userId = Number(match[1])
    const stored = await this.#state.get(this.#key(userId))
    const record = recordSchema.safeParse(stored?.value)
    if (stored === undefined || !record.success || record.data.used) return undefined
    if (!timingSafeEqual(Buffer.from(record.data.digest), Buffer.from(digest(token)))) return undefined
    const { epoch, email } = record.data
    const spent = { ...record.data, used: true }
    return { userId, epoch, email, consume: () => this.#state.update(this.#key(userId), stored.version, spent) }
  }

  async drop(userId: number): Promise<void> {
    await this.#state.delete(this.#key(userId))
  }

  #key(userId: number): string {
    return `${this.#prefix}:${userId}`
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** Whether a link may hold a secret: over https, or where it doesn't leave this machine. */
export function mayCarryToken({ protocol, hostname }: URL): boolean {
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
  return protocol === 'https:' || (protocol === 'http:' && isLoopback)
}

/**
 * The link of a reset mail: `{token}` once, behind the host, on an origin of the list. Decided before anybody is
 * looked up, so that the answer says nothing about the address.
 */
export function checkUrlTemplate(template: string, origins: ReadonlySet<string>): (token: string) => string {
  const parts = template.split('{token}')
  const [before = '', after = ''] = parts
  if (parts.length !== 2) throw refusals.invalidUrlTemplate('The template needs {token} exactly once')
  // Parsers disagree about backslashes, blanks and control characters; a link that one of them reads otherwise is no link.
  if (template.length > 2000 || /[{}\\\s\p{C}]/u.test(before + after)) {
    throw refusals.invalidUrlTemplate('The template holds characters that it may not hold')
  }
  const url = parse(`${before}TOKEN${after}`)
  const origin = parse(before)?.origin
  if (
    url === undefined ||
    !mayCarryToken(url) ||
    url.username !== '' ||
    url.password !== '' ||
    /^https?:\/\/[^/?#]*@/i.test(template)
  ) {
    throw refusals.invalidUrlTemplate('The template must be an https URL without a user')
  }
  // `before` alone must have the whole host: else the token would be a part of it.
  const hostIsComplete = /^https?:\/\/[^/?#]+[/?#]/i.test(before)
  if (!hostIsComplete || origin !== url.origin || !origins.has(url.origin)) {
    throw refusals.invalidUrlTemplate('The template leads to a site that is not allowed')
  }
  return (token) => before + token + after
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

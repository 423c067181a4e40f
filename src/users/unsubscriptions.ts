import { createHmac, timingSafeEqual } from 'node:crypto'
import type { StateStore } from '../approval/state-store.js'
import { parseMailbox } from './mail-address.js'
import { pythonString } from './python-text.js'
import { problem, type Answer } from './refusal.js'
import type { Call } from './routing.js'
import { isObject, stringMember } from './schema.js'

export interface UnsubscriptionsOptions {
  readonly state: StateStore
  readonly namespace: string
  readonly secret: string | Uint8Array | undefined
  readonly transactionalTags: readonly string[]
  readonly now: () => number
}

const YEAR_MS = 400 * 86_400_000

/** Who does not want which mails: signed tokens for the links in mails, and what came of them. */
export class Unsubscriptions {
  readonly #options: UnsubscriptionsOptions

  constructor(options: UnsubscriptionsOptions) {
    this.#options = options
  }

  /** Those of the recipients who have not unsubscribed from the tag. */
  async wanted(recipients: readonly string[], tag: string): Promise<readonly string[]> {
    if (this.#options.transactionalTags.includes(tag)) return recipients
    const wanted: string[] = []
    for (const recipient of recipients) if (!(await this.#isUnsubscribed(recipient, tag))) wanted.push(recipient)
    return wanted
  }

  /** The route that makes a token, for callers with the gateway's credential. */
  async issue({ params }: Call): Promise<Answer> {
    const [email = '', tag = ''] = params
    if (parseMailbox(email) === undefined || Array.from(email).length > 320)
      throw problem(400, `${pythonString(email.slice(0, 300))} is not a 'email'`)
    if (Array.from(tag).length > 64) throw problem(400, `${pythonString(tag.slice(0, 300))} is too long`)
    const payload = Buffer.from(JSON.stringify({ email, tag })).toString('base64url')
    return { status: 200, body: { token: `${payload}.${this.#sign(payload)}` } }
  }

  /** The page behind the link in a mail. */
  async accept({ req, params }: Call): Promise<Answer> {
    const [payload = '', signature = '', ...more] = (params[0] ?? '').split('.')
    const expected = Buffer.from(this.#sign(payload))
    const given = Buffer.from(signature)
    if (more.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected))
      throw problem(400, 'The token is not valid')
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    const [email, tag] = isObject(claims) ? [stringMember(claims, 'email'), stringMember(claims, 'tag')] : ['', '']
    if (this.#options.transactionalTags.includes(tag)) throw problem(400, 'These mails cannot be unsubscribed from')
    // Mail scanners look whether links are there; they don't mean it.
    if (req.method !== 'HEAD') await this.#options.state.put(this.#key(email, tag), true, { ttlMs: YEAR_MS })
    return { status: 200, contentType: 'text/html; charset=utf-8' }
  }

  async #isUnsubscribed(email: string, tag: string): Promise<boolean> {
    const { state, now } = this.#options
    const key = this.#key(email, tag)
    const found = await state.get(key)
    if (found === undefined) return false
    // It holds until the mails have stopped for a year, not for a year.
    if (found.expiresAt - now() < YEAR_MS / 2) await state.put(key, true, { ttlMs: YEAR_MS })
    return true
  }

  #key(email: string, tag: string): string {
    const address = parseMailbox(email)?.address ?? email
    const digest = createHmac('sha256', 'unsubscribed').update(JSON.stringify([address.toLowerCase(), tag]))
    return `${this.#options.namespace}:unsubscribed:${digest.digest('base64url')}`
  }

  #sign(payload: string): string {
    const { secret } = this.#options
    if (secret === undefined) throw problem(404, 'Unsubscribing is not switched on')
    return createHmac('sha256', secret).update(`unsubscribe ${payload}`).digest('base64url')
  }
}

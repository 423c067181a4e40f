import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { StateStore } from '../approval/state-store.js'
import type { UserRecord } from './user-store.js'

const COOKIE = '__Host-outofband-device'
const DAYS = 180
const ADDRESS_DAYS = 30

/**
 * Knows the devices from which an account was signed in to before: by a mark in a cookie, and by the address for
 * clients that keep none. A known device has a counter of failures of its own, so that a stranger's tries don't lock
 * the owner out. It is good for that and nothing else; it never stands in for a password.
 */
export class Devices {
  readonly #key: Buffer
  readonly #state: StateStore
  readonly #prefix: string
  readonly #now: () => number
  readonly #randomBytes: (size: number) => Uint8Array

  constructor(options: {
    readonly key: Buffer
    readonly state: StateStore
    readonly namespace: string
    readonly now: () => number
    readonly randomBytes: (size: number) => Uint8Array
  }) {
    this.#key = options.key
    this.#state = options.state
    this.#prefix = `${options.namespace}:device`
    this.#now = options.now
    this.#randomBytes = options.randomBytes
  }

  /** Whether a request brings something that looks like a mark, of whomever. */
  mayBeKnown(req: IncomingMessage): boolean {
    return markOf(req) !== null
  }

  /** A name for the device if it is a known one of this user, else undefined. */
  async recognise(req: IncomingMessage, address: string, user: UserRecord): Promise<string | undefined> {
    const mark = this.#readMark(req, user)
    if (mark !== undefined) return `mark:${mark}`
    const known = await this.#state.get(this.#addressKey(user, address))
    return known === undefined ? undefined : `address:${address}`
  }

  /** Remembers the device after a login; the answer carries the header that is returned. */
  async remember(address: string, user: UserRecord): Promise<Readonly<Record<string, string>>> {
    await this.#state.put(this.#addressKey(user, address), true, { ttlMs: ADDRESS_DAYS * 86_400_000 })
    const id = Buffer.from(this.#randomBytes(16)).toString('base64url')
    const until = Math.floor(this.#now() / 1000) + DAYS * 86_400
    const mark = `${id}.${until}.${this.#mac(id, until, user)}`
    const attributes = `Path=/; Max-Age=${DAYS * 86_400}; HttpOnly; Secure; SameSite=Strict`
    return { 'Set-Cookie': `${COOKIE}=${mark}; ${attributes}` }
  }

  #readMark(req: IncomingMessage, user: UserRecord): string | undefined {
    const match = markOf(req)
    if (match === null) return undefined
    const [, id = '', until = '', mac = ''] = match
    const expected = Buffer.from(this.#mac(id, Number(until), user))
    const given = Buffer.from(mac)
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    return Number(until) * 1000 > this.#now() ? id : undefined
  }

  // Over the epoch too: a new password or a deactivation makes all marks worthless.
  #mac(id: string, until: number, user: UserRecord): string {
    return createHmac('sha256', this.#key).update(`mark ${id} ${until} ${user.id} ${user.epoch}`).digest('base64url')
  }

  #addressKey(user: UserRecord, address: string): string {
    const digest = createHmac('sha256', this.#key)
      .update(`address ${user.id} ${user.epoch} ${address}`)
      .digest('base64url')
    return `${this.#prefix}:${digest}`
  }
}

function markOf(req: IncomingMessage): RegExpExecArray | null {
  const cookie = (req.headers.cookie ?? '').split(';').find((pair) => pair.trim().startsWith(`${COOKIE}=`))
  return /=([A-Za-z0-9_-]{22})\.(\d{1,12})\.([A-Za-z0-9_-]{43})\s*$/.exec(cookie ?? '')
}

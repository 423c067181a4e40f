import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import type { StateStore } from '../approval/state-store.js'
import { tooMany } from './refusal.js'

/** So many within a window. */
export interface Limit {
  readonly max: number
  readonly windowSeconds: number
}

/** Counters in the state store. A store that does not answer refuses (its error becomes a 503): limits fail closed. */
export class Limits {
  readonly #state: StateStore
  readonly #prefix: string
  readonly #now: () => number

  constructor(state: StateStore, namespace: string, now: () => number) {
    this.#state = state
    this.#prefix = `${namespace}:limit`
    this.#now = now
  }

  /** Counts one, and tells how many seconds are to be waited if that was one too many. */
  async count(name: string, subject: string, limit: Limit): Promise<number | undefined> {
    const counter = await this.#state.increment(this.#key(name, subject), { windowMs: limit.windowSeconds * 1000 })
    return counter.count > limit.max ? (counter.resetsAt - this.#now()) / 1000 : undefined
  }

  /** Tells how many seconds are to be waited, without counting. */
  async wait(name: string, subject: string, limit: Limit): Promise<number | undefined> {
    const counter = await this.#state.increment(this.#key(name, subject), {
      windowMs: limit.windowSeconds * 1000,
      by: 0,
    })
    return counter.count >= limit.max ? (counter.resetsAt - this.#now()) / 1000 : undefined
  }

  /** Counts one, and answers 429 if that was one too many. */
  async require(name: string, subject: string, limit: Limit): Promise<void> {
    const wait = await this.count(name, subject, limit)
    if (wait !== undefined) throw tooMany(wait)
  }

  async clear(name: string, subject: string): Promise<void> {
    await this.#state.delete(this.#key(name, subject))
  }

  // Subjects come from outside: digested they have one length, and no address or number is readable in the store.
  #key(name: string, subject: string): string {
    return `${this.#prefix}:${name}:${createHash('sha256').update(subject).digest('base64url')}`
  }
}

/** The address that limits by client count by: an IPv6 client owns its whole /64, so that is one address. */
export function clientAddress(req: IncomingMessage, proxyDepth: number): string {
  const address = normalAddress(forwardedAddress(req, proxyDepth) ?? req.socket.remoteAddress ?? 'unknown')
  return isIPv6(address) ? `${expand(address).slice(0, 4).join(':')}::/64` : address
}

// Each proxy adds the address it saw to the right; what lies further left was written by whoever likes.
function forwardedAddress(req: IncomingMessage, proxyDepth: number): string | undefined {
  if (proxyDepth === 0) return undefined
  const header = req.headers['x-forwarded-for']
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').map((hop) => hop.trim())
  return hops.at(-proxyDepth)?.slice(0, 64) ?? undefined
}

// Some proxies write a port behind the address, which is another one for each connection.
function normalAddress(address: string): string {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address
  return bare.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}

function expand(address: string): readonly string[] {
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  return [...before, ...Array.from({ length: zeros }, () => '0'), ...after].map((group) =>
    group.replace(/^0+(?=.)/, ''),
  )
}

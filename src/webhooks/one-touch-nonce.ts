import type { StateRecord, StateStore } from '../approval/state-store.js'
import type { Runtime } from '../runtime.js'
import type { OneTouchEvent } from './one-touch-event.js'

/** How far a nonce that is a time may be from ours, either way. Seconds. */
export const defaultToleranceSeconds = 300

const HOUR_MS = 3_600_000
const LEAST_MEMORY_MS = 24 * HOUR_MS
const LONGEST_MEMORY_MS = 30 * LEAST_MEMORY_MS

/**
 * How far a nonce is from `nowSeconds` (positive: ahead), or undefined if it isn't a time. So far it always was the
 * sender's clock in seconds, in earlier years with a fraction, but the service doesn't promise it.
 */
export function skewSeconds(nonce: unknown, nowSeconds: number): number | undefined {
  return typeof nonce === 'string' && /^[0-9]{1,12}(?:\.[0-9]{1,9})?$/.test(nonce)
    ? Number(nonce) - nowSeconds
    : undefined
}

/** A verified callback. */
export interface Delivery {
  /** What names it: the nonce is under it, and whoever reshapes the body without breaking it doesn't change it. */
  readonly signature: string
  /** The nonce is a time, and was compared with ours. */
  readonly isTimed: boolean
  readonly event: OneTouchEvent
}

/** Remembers deliveries across processes. */
export class DeliveryMemory {
  readonly #state: StateStore
  readonly #toleranceSeconds: number | false

  constructor(state: StateStore, toleranceSeconds: number | false) {
    this.#state = state
    this.#toleranceSeconds = toleranceSeconds
  }

  /** The record of a delivery that was taken before. */
  find(key: string): Promise<StateRecord | undefined> {
    return this.#state.get(key)
  }

  /** Remembers a delivery for as long as it would pass the other checks. */
  remember(key: string, { isTimed, event }: Delivery, { now }: Pick<Runtime, 'now'>): Promise<boolean> {
    const tolerance = this.#toleranceSeconds
    const ttlMs = tolerance !== false && isTimed ? 2000 * tolerance + 1000 : untimedMemoryMs(event, now())
    return this.#state.putIfAbsent(key, true, { ttlMs })
  }
}

/** The key under which a delivery is remembered. */
export function deliveryKey({ signature }: Delivery): string {
  return `onetouch-callback:${signature}`
}

/** Without a clock only the end of the request ends a delivery's life; some requests have none. */
function untimedMemoryMs(event: OneTouchEvent, nowMs: number): number {
  const leftMs = event.expiresAt === undefined ? LONGEST_MEMORY_MS : event.expiresAt - nowMs
  return Math.min(Math.max(leftMs + HOUR_MS, LEAST_MEMORY_MS), LONGEST_MEMORY_MS)
}

import type { Runtime } from '../runtime.js'

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 2000
const MONTHS = 31 * 24 * 3600 * 1000

/**
 * `Retry-After` (RFC 9110 section 10.2.3) in milliseconds from now: seconds, or a date. Undefined if it is neither.
 * At most 31 days: an answer must not be able to stop a caller for good.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? ''
  if (/^[0-9]{1,10}$/.test(text)) return Math.min(Number(text) * 1000, MONTHS)
  // Date.parse takes nearly anything (also "-1" and "2"); a date of HTTP begins with the name of a day.
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text)) return undefined
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - now), MONTHS)
}

/** How long to wait before try number `tries + 1`: doubling, with jitter over its upper half, so that many clients don't come back together. */
export function pauseMs(tries: number, runtime: Runtime): number {
  const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1))
  const [high = 0, low = 0] = runtime.randomBytes(2)
  return Math.round((ceiling / 2) * (1 + (high * 256 + low) / 65_535))
}

/** Repeats may add at most a fifth to the load; ten may be saved up. Without a budget an outage would triple the traffic. */
export class RetryBudget {
  #tokens = 10

  /** Called for each first try. */
  earn(): void {
    this.#tokens = Math.min(10, this.#tokens + 0.2)
  }

  /** True if a repeat may be sent. */
  spend(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}

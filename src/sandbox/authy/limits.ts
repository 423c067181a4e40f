/** Counts in windows: requests an endpoint, codes a person. Beyond the limit the service answers 429, and lifts it by itself. */
export class Limits {
  readonly #limits: { readonly requestsPerMinute: number; readonly tokensPerTenMinutes: number } | false
  readonly #hits = new Map<string, number[]>()

  constructor(limits: { readonly requestsPerMinute: number; readonly tokensPerTenMinutes: number } | false) {
    this.#limits = limits
  }

  /** Counts a request; false when it is one too many. */
  request(endpoint: string, now: number): boolean {
    return this.#limits === false || this.#count(`request ${endpoint}`, now, 60_000, this.#limits.requestsPerMinute)
  }

  /** Counts a code that is to be sent to a user or number; false when it is one too many. */
  token(whom: string, now: number): boolean {
    return this.#limits === false || this.#count(`token ${whom}`, now, 600_000, this.#limits.tokensPerTenMinutes)
  }

  #count(key: string, now: number, windowMs: number, limit: number): boolean {
    const recent = (this.#hits.get(key) ?? []).filter((at) => at > now - windowMs && at <= now)
    if (recent.length < limit) recent.push(now)
    else return false
    this.#hits.set(key, recent)
    return true
  }
}

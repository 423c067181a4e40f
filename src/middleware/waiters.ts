interface Usage {
  active: number
  asked: number
  windowEndsAt: number
}

// Far more sessions than wait at one time on one process; beyond that the idle ones are forgotten.
const MAX_SESSIONS = 100_000
const WINDOW_MS = 10_000

/** How many requests of a session wait, and how often it asks. In the memory of one process: what it guards is that process. */
export class Waiters {
  readonly #sessions = new Map<string, Usage>()
  readonly #maxActive: number
  readonly #maxAsked: number
  readonly #now: () => number

  constructor(limits: { readonly maxActive: number; readonly maxAsked: number }, now: () => number) {
    this.#maxActive = limits.maxActive
    this.#maxAsked = limits.maxAsked
    this.#now = now
  }

  /** Lets a request wait, and returns what ends that; nothing if there are too many of its session. */
  enter(session: string): (() => void) | undefined {
    const usage = this.#usage(session)
    if (usage.active >= this.#maxActive || usage.asked >= this.#maxAsked) return undefined
    usage.active += 1
    usage.asked += 1
    let left = false
    return () => {
      if (left) return
      left = true
      usage.active -= 1
    }
  }

  /** How many requests wait now. */
  get active(): number {
    return [...this.#sessions.values()].reduce((sum, usage) => sum + usage.active, 0)
  }

  #usage(session: string): Usage {
    const now = this.#now()
    const usage = this.#sessions.get(session)
    if (usage !== undefined) {
      if (now >= usage.windowEndsAt) Object.assign(usage, { asked: 0, windowEndsAt: now + WINDOW_MS })
      return usage
    }
    if (this.#sessions.size >= MAX_SESSIONS) this.#forgetIdle(now)
    const fresh = { active: 0, asked: 0, windowEndsAt: now + WINDOW_MS }
    this.#sessions.set(session, fresh)
    return fresh
  }

  #forgetIdle(now: number): void {
    for (const [session, usage] of this.#sessions) {
      if (usage.active === 0 && now >= usage.windowEndsAt) this.#sessions.delete(session)
    }
  }
}

/** When the circuit opens, and for how long. */
export interface BreakerSettings {
  /** Failures in a row that open the circuit. */
  readonly failures: number
  /** Milliseconds before one call is let through to try again. */
  readonly openMs: number
}

/** A permission to send, which has to be given back with what became of it. */
export interface Permit {
  /** The provider answered. */
  succeeded(): void
  /** The provider could not be reached, hung, or answered nonsense. */
  failed(): void
  /** Neither: the caller gave up. */
  abandoned(): void
}

/** Keeps callers from queueing at a provider that is down: after some failures in a row they are refused at once, for a while. */
export class CircuitBreaker {
  readonly #settings: BreakerSettings
  readonly #now: () => number
  #failures = 0
  #openedAt = 0
  #probing = false

  constructor(settings: BreakerSettings, now: () => number) {
    this.#settings = settings
    this.#now = now
  }

  /** A permit, or undefined while the circuit is open. When the pause is over exactly one caller gets one. */
  enter(): Permit | undefined {
    if (this.#failures < this.#settings.failures) return this.#permit(false)
    const since = this.#now() - this.#openedAt
    // A clock that was set back must not keep the circuit open for longer.
    if ((since >= 0 && since < this.#settings.openMs) || this.#probing) return undefined
    this.#probing = true
    return this.#permit(true)
  }

  #permit(probe: boolean): Permit {
    const settle = (failures: number): void => {
      if (probe) this.#probing = false
      this.#failures = failures
    }
    return {
      succeeded: () => settle(0),
      failed: () => {
        settle(Math.min(this.#failures + 1, this.#settings.failures))
        this.#openedAt = this.#now()
      },
      abandoned: () => settle(this.#failures),
    }
  }
}

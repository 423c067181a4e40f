/** The time limit of one request. */
export interface Deadline {
  /** What to do when it has passed. Set anew while a request goes on. */
  onPassed: () => void
  readonly endsAt: number
}

/**
 * The time limits of many requests under one timer. A timer for each request, made and cleared, costs as much as verifying
 * a signature does.
 */
export class Deadlines {
  readonly #limitMs: number
  // All are equally long, so the first one in is the first one to end.
  readonly #open = new Set<Deadline>()
  #timer: NodeJS.Timeout | undefined

  constructor(limitMs: number) {
    this.#limitMs = limitMs
  }

  open(onPassed: () => void): Deadline {
    const deadline = { onPassed, endsAt: performance.now() + this.#limitMs }
    this.#open.add(deadline)
    if (!this.#timer) this.#arm(this.#limitMs)
    return deadline
  }

  /** The request was answered in time. */
  close(deadline: Deadline): void {
    this.#open.delete(deadline)
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => this.#sweep(), ms)
    // Nothing to wait for once the server is closed.
    this.#timer.unref()
  }

  #sweep(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const deadline of this.#open) {
      if (deadline.endsAt > now) return this.#arm(Math.ceil(deadline.endsAt - now))
      this.#open.delete(deadline)
      deadline.onPassed()
    }
  }
}

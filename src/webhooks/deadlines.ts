/** Something that must be over in time. */
export interface Timed {
  /** Both are kept by {@link Deadlines}; zero before. */
  endsAt: number
  place: number
}

/**
 * The time limits of many requests under one timer. A timer for each request, made and cleared, costs as much as verifying
 * a signature does.
 */
export class Deadlines<T extends Timed> {
  readonly #limitMs: number
  readonly #onPassed: (item: T) => void
  // An array and not a Set: the tables that a Set outgrows point at the next one, and old garbage keeps young garbage alive.
  readonly #open: T[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(limitMs: number, onPassed: (item: T) => void) {
    this.#limitMs = limitMs
    this.#onPassed = onPassed
  }

  open(item: T): void {
    item.endsAt = performance.now() + this.#limitMs
    item.place = this.#open.push(item) - 1
    if (!this.#timer) this.#arm(this.#limitMs)
  }

  /** It was over in time. */
  close(item: T): void {
    if (this.#open[item.place] !== item) return
    const last = this.#open.pop()
    if (last === undefined || last === item) return
    this.#open[item.place] = last
    last.place = item.place
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => this.#sweep(), ms)
    // Nothing to wait for once the server is closed.
    this.#timer.unref()
  }

  #sweep(): void {
    const now = performance.now()
    const overdue = this.#open.filter(({ endsAt }) => endsAt <= now)
    for (const item of overdue) this.close(item)
    this.#timer = undefined
    const next = this.#open.reduce((earliest, { endsAt }) => Math.min(earliest, endsAt), Infinity)
    if (next < Infinity) this.#arm(Math.ceil(next - now))
    for (const item of overdue) this.#onPassed(item)
  }
}

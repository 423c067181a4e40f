/** Thrown by a {@link WorkQueue} that has no room: the caller answers 503. */
export class QueueFullError extends Error {
  constructor() {
    super('too much work is waiting')
    this.name = 'QueueFullError'
  }
}

/**
 * Runs a few jobs at once and lets a bounded number wait in order. Hashes share the thread pool with signature checks
 * and hold 19 MiB each: fifty at once keep everything else waiting, two don't.
 */
export class WorkQueue {
  readonly #concurrency: number
  readonly #maxWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(options: { readonly concurrency: number; readonly maxWaiting: number }) {
    this.#concurrency = options.concurrency
    this.#maxWaiting = options.maxWaiting
  }

  /** @throws {@link QueueFullError} */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#concurrency) {
      if (this.#waiting.length >= this.#maxWaiting) throw new QueueFullError()
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else {
      this.#running += 1
    }
    try {
      return await job()
    } finally {
      const next = this.#waiting.shift()
      // The place is handed over, not freed: nobody who comes now overtakes those who wait.
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}

/** Runs the jobs of one name one after the other, those of different names side by side. */
export class Lanes {
  readonly #tails = new Map<string, Promise<unknown>>()

  async run<T>(name: string, job: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(name) ?? Promise.resolve()
    const mine = before.then(job, job)
    const tail = mine.catch(() => undefined)
    this.#tails.set(name, tail)
    try {
      return await mine
    } finally {
      if (this.#tails.get(name) === tail) this.#tails.delete(name)
    }
  }
}

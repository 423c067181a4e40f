import type { Logger } from '../runtime.js'

/** The listeners of this process, by topic. */
export class WakeUps {
  readonly #topics = new Map<string, Set<{ readonly listener: () => void }>>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** How many topics have a listener. */
  get size(): number {
    return this.#topics.size
  }

  has(topic: string): boolean {
    return this.#topics.has(topic)
  }

  add(topic: string, listener: () => void): () => void {
    // Wrapped, so that a function that is added twice has to be removed twice.
    const entry = { listener }
    const entries = this.#topics.get(topic) ?? new Set()
    entries.add(entry)
    this.#topics.set(topic, entries)
    return () => {
      entries.delete(entry)
      if (entries.size === 0 && this.#topics.get(topic) === entries) this.#topics.delete(topic)
    }
  }

  /** Calls the listeners of a topic, after the caller's own work. */
  wake(topic: string): void {
    const entries = this.#topics.get(topic)
    if (entries === undefined) return
    queueMicrotask(() => {
      for (const { listener } of [...entries]) this.#call(listener)
    })
  }

  /** Calls every listener: wake-ups may have been lost. */
  wakeAll(): void {
    for (const topic of this.#topics.keys()) this.wake(topic)
  }

  #call(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      // A listener's mistake must reach neither the publisher nor the other listeners.
      this.#logger.error({ err: error }, 'a listener of the state store threw')
    }
  }
}

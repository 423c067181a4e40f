import type { Logger } from '../runtime.js'

const MAX_JOBS = 1000

/**
 * Work that nobody waits for: looking up who asked for a reset, handing over a mail. So the answer takes the same time
 * whether or not there is such a user, and a mail server that is slow or down shows to nobody.
 */
export class Background {
  readonly #jobs = new Set<Promise<void>>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Starts a job. More than a thousand at once are dropped, with a line in the log: memory is bounded. True if it was started. */
  start(what: string, job: () => Promise<void>): boolean {
    if (this.#jobs.size >= MAX_JOBS) {
      this.#logger.error({ what }, 'too much background work; a job was dropped')
      return false
    }
    const running = job().catch((err: unknown) => {
      this.#logger.error({ err, what }, 'background work failed')
    })
    this.#jobs.add(running)
    void running.finally(() => this.#jobs.delete(running))
    return true
  }

  /** Resolves when no job is left. */
  async idle(): Promise<void> {
    while (this.#jobs.size > 0) await Promise.all(this.#jobs)
  }
}

import { topicOf } from './approval-records.js'
import { settleTime } from './ending.js'
import type { Heart } from './heart.js'
import { isOpen, type ApprovalRecord } from './life.js'
import { lookAfter } from './poller.js'

// Wake-ups are hints and may get lost: the store is read at least this often. Milliseconds.
const rereadMs = 1_000

type Waiter = (record: ApprovalRecord | undefined) => void

interface Watch {
  readonly waiters: Set<Waiter>
  readonly bell: Bell
  stopped: boolean
}

/**
 * Waiting for approvals in this process: one watch an approval, however many tabs and requests wait for it. A watch reads
 * the store at every wake-up and at least once a second, looks after the approval when that is due and no other process
 * does, and ends with its last waiter.
 */
export class Watches {
  readonly #heart: Heart
  readonly #watches = new Map<string, Watch>()

  constructor(heart: Heart) {
    this.#heart = heart
  }

  /** Calls `waiter` once, when the approval is no longer open (or is gone). The returned function stops waiting. */
  add(id: string, waiter: Waiter): () => void {
    let watch = this.#watches.get(id)
    if (!watch) {
      watch = { waiters: new Set(), bell: new Bell(), stopped: false }
      this.#watches.set(id, watch)
      this.#follow(id, watch).catch((error: unknown) => {
        this.#heart.logger.error({ approval: id, error }, 'waiting for an approval failed; those who wait time out')
      })
    }
    const joined = watch
    joined.waiters.add(waiter)
    return () => {
      joined.waiters.delete(waiter)
      if (joined.waiters.size > 0) return
      if (this.#watches.get(id) === joined) this.#watches.delete(id)
      joined.stopped = true
      joined.bell.ring()
    }
  }

  async #follow(id: string, watch: Watch): Promise<void> {
    const unsubscribe = await this.#subscribe(id, watch.bell)
    try {
      await this.#readUntilOver(id, watch)
    } finally {
      await unsubscribe()
    }
  }

  async #subscribe(id: string, bell: Bell): Promise<() => Promise<void>> {
    try {
      return await this.#heart.state.subscribe(topicOf(id), () => {
        bell.ring()
      })
    } catch (error) {
      // Wake-ups only make it quicker.
      this.#heart.logger.warn({ approval: id, error }, 'no wake-ups from the store; reading it every second')
      return async () => undefined
    }
  }

  async #readUntilOver(id: string, watch: Watch): Promise<void> {
    const { runtime, logger } = this.#heart
    let nextLook = 0
    let looking = false
    while (!watch.stopped) {
      try {
        const record = await settleTime(this.#heart, id)
        if (!record || !isOpen(record)) {
          this.#end(id, watch, record)
          return
        }
        if (!looking && runtime.now() >= nextLook) {
          looking = true
          // Not awaited: a slow provider must not keep us from hearing a callback.
          void this.#look(id).then((due) => {
            nextLook = due
            looking = false
            watch.bell.ring()
          })
        }
      } catch (error) {
        logger.error({ approval: id, error }, 'the store could not be read; nobody is let in, and reading goes on')
      }
      const untilLook = looking ? rereadMs : Math.max(1, nextLook - runtime.now())
      await watch.bell.waitFor(runtime.sleep, Math.min(rereadMs, untilLook))
    }
  }

  /** When to try again: when it is due, or in a second if another process looks after it. */
  async #look(id: string): Promise<number> {
    const { runtime, logger } = this.#heart
    try {
      return (await lookAfter(this.#heart, id)) ?? runtime.now() + rereadMs
    } catch (error) {
      logger.error({ approval: id, error }, 'an approval could not be looked after; it stays pending')
      return runtime.now() + rereadMs
    }
  }

  #end(id: string, watch: Watch, record: ApprovalRecord | undefined): void {
    if (this.#watches.get(id) === watch) this.#watches.delete(id)
    const waiters = [...watch.waiters]
    watch.waiters.clear()
    for (const waiter of waiters) waiter(record)
  }
}

/** Wakes one sleeper early. A ring that comes before the sleep is not lost. */
class Bell {
  #rung = false
  #wake: AbortController | undefined

  ring(): void {
    this.#rung = true
    this.#wake?.abort()
  }

  async waitFor(sleep: (ms: number, signal?: AbortSignal) => Promise<void>, ms: number): Promise<void> {
    if (!this.#rung) {
      this.#wake = new AbortController()
      await sleep(ms, this.#wake.signal).catch(() => undefined)
      this.#wake = undefined
    }
    this.#rung = false
  }
}

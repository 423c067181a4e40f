import { MemoryStore, type SessionData } from 'express-session'

/** A session store that takes its time to write, as one over a network may. Reads see what was written. */
export class SlowStore extends MemoryStore {
  readonly #ms: number

  constructor(ms: number) {
    super()
    this.#ms = ms
  }

  override set(id: string, session: SessionData, callback?: (error?: unknown) => void): void {
    setTimeout(() => {
      super.set(id, session, callback)
    }, this.#ms)
  }
}

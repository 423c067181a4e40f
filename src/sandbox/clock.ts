import type { Runtime } from '../runtime.js'

/** The sandbox's clock: real time, moved as far as a test wants. Everything in the sandbox that has a time asks it. */
export interface SandboxClock {
  /** Milliseconds since the epoch, as the sandbox sees them. */
  now(): number
  /** Moves the clock by so many milliseconds; negative moves it back. Whatever falls due happens at once. */
  advance(ms: number): void
  /** Sets the clock to a time (milliseconds since the epoch); it runs on from there. */
  set(epochMs: number): void
  /** Back to real time. */
  reset(): void
  /**
   * Resolves when that many milliseconds have passed on this clock, also when it was moved there.
   * Rejects with the signal's reason when it is aborted.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls back whenever the clock was moved. Gives a function that ends this. */
  onMove(listener: () => void): () => void
}

export function createClock(runtime: Pick<Runtime, 'now' | 'sleep'>): SandboxClock {
  let offset = 0
  const listeners = new Set<() => void>()
  const now = (): number => runtime.now() + offset

  function move(next: number): void {
    offset = next
    for (const listener of [...listeners]) listener()
  }

  function onMove(listener: () => void): () => void {
    // A wrapper of its own for each call: the same function may be given twice.
    const entry = (): void => listener()
    listeners.add(entry)
    return () => void listeners.delete(entry)
  }

  async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const due = now() + ms
    while (now() < due) {
      signal?.throwIfAborted()
      const moved = new AbortController()
      const forget = onMove(() => moved.abort())
      const either = signal ? AbortSignal.any([moved.signal, signal]) : moved.signal
      try {
        await runtime.sleep(due - now(), either)
      } catch (error) {
        if (signal?.aborted || !moved.signal.aborted) throw error
      } finally {
        forget()
      }
    }
    signal?.throwIfAborted()
  }

  return {
    now,
    advance: (ms) => move(offset + ms),
    set: (epochMs) => move(epochMs - runtime.now()),
    reset: () => move(0),
    sleep,
    onMove,
  }
}

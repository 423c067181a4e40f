import { randomBytes } from 'node:crypto'
import type { Runtime } from '../../src/runtime.js'

interface Sleeper {
  readonly wakesAt: number
  readonly wake: () => void
}

/** Moves the time of a {@link testRuntime}. */
export interface TestClock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Sets the time, backwards too, and wakes nobody. */
  set(now: number): void
  /**
   * Moves the time forward, waking sleepers in the order of their ends and letting each run until it waits for
   * something else before the next wakes. What is sent over a real socket meanwhile is not waited for: use `waitFor`.
   */
  advance(ms: number): Promise<void>
  /** How many are asleep. */
  readonly sleeping: number
  /** When the next sleeper wakes, if one is asleep. */
  readonly nextWake: number | undefined
}

/** A runtime whose time stands still until the test moves it. Start: 2027-01-15T08:00:00Z. */
export function testRuntime(start = 1_800_000_000_000): { readonly runtime: Runtime; readonly clock: TestClock } {
  let now = start
  const sleepers = new Set<Sleeper>()
  const next = (): Sleeper | undefined => [...sleepers].sort((a, b) => a.wakesAt - b.wakesAt)[0]

  const clock: TestClock = {
    now: () => now,
    set: (to) => {
      now = to
    },
    async advance(ms) {
      const end = now + ms
      await settle()
      for (let sleeper = next(); sleeper !== undefined && sleeper.wakesAt <= end; sleeper = next()) {
        now = Math.max(now, sleeper.wakesAt)
        sleeper.wake()
        await settle()
      }
      now = end
      await settle()
    },
    get sleeping() {
      return sleepers.size
    },
    get nextWake() {
      return next()?.wakesAt
    },
  }

  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error)
      const abort = (): void => {
        sleepers.delete(sleeper)
        reject(signal?.reason as Error)
      }
      const sleeper: Sleeper = {
        wakesAt: now + ms,
        wake: () => {
          sleepers.delete(sleeper)
          signal?.removeEventListener('abort', abort)
          resolve()
        },
      }
      sleepers.add(sleeper)
      signal?.addEventListener('abort', abort, { once: true })
    })

  return { runtime: { now: () => now, sleep, randomBytes }, clock }
}

/** Lets everything run that waits for promises only. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

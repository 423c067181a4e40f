import type { JsonValue } from './json.js'

/** A record as a store holds it. */
export interface StateRecord {
  readonly value: JsonValue
  /** Opaque; differs after every write to the key, also after the record was deleted and made anew. For {@link StateStore.update}. */
  readonly version: string
  /** When the record stops to exist: milliseconds since the epoch. */
  readonly expiresAt: number
}

/** How long a record lives. */
export interface Lifetime {
  /** Milliseconds, 1 to 400 days. */
  readonly ttlMs: number
}

/** A counter after {@link StateStore.increment}. */
export interface Counter {
  readonly count: number
  /** When the window ends and the counter starts again at zero: milliseconds since the epoch. */
  readonly resetsAt: number
}

/**
 * Short-lived state that outlasts a request: approvals, assurance, limits, nonces. A port: memory, SQL and Redis
 * adapters are in `passport-outofband/stores`, and an application may bring its own (run `test/contract/state-store`
 * against it).
 *
 * What every adapter promises:
 * - Each method is one atomic step, also between processes. Of many simultaneous `take`s of a key exactly one gets the
 *   record; of many `putIfAbsent`s exactly one gets `true`; of many `update`s from one version exactly one succeeds.
 * - A write that was acknowledged is there for every reader, and (SQL, Redis with persistence) after a crash.
 * - An expired record is as good as gone at every read, whether or not it was cleaned up already.
 * - A store that can't answer rejects with `StoreUnavailableError`; it never guesses. A full one rejects with `StoreFullError`.
 * - Keys are 1 to 512 characters of any kind; values are JSON of at most 256 KiB. Values are copied: changing an object after
 *   `put`, or one that `get` returned, changes nothing in the store.
 *
 * Time is the adapter's own clock (`runtime.now`), so that a test can move it.
 */
export interface StateStore {
  /** Reads a record. */
  get(key: string): Promise<StateRecord | undefined>
  /** Writes a record, whether or not there is one. */
  put(key: string, value: JsonValue, lifetime: Lifetime): Promise<void>
  /** Writes a record unless a living one is there. True if it was written. */
  putIfAbsent(key: string, value: JsonValue, lifetime: Lifetime): Promise<boolean>
  /** Reads and deletes a record in one step: of several callers one gets it. */
  take(key: string): Promise<StateRecord | undefined>
  /** Replaces a record if its version is still `version`. Without `lifetime` it keeps its end. True if it was replaced. */
  update(key: string, version: string, value: JsonValue, lifetime?: Lifetime): Promise<boolean>
  /** Deletes a record or a counter. Nothing happens if there is none. */
  delete(key: string): Promise<void>

  /**
   * Adds `by` (default 1; 0 reads) to a counter and returns it. The window starts with the first increment and is
   * `windowMs` milliseconds long; a later increment in it doesn't move its end. Counters and records do not share keys.
   */
  increment(key: string, window: { readonly windowMs: number; readonly by?: number }): Promise<Counter>

  /**
   * Puts a member into a queue, due at `dueAt` (milliseconds since the epoch), or moves it there. What makes background
   * work (pollers, the outbox) survive a restart. Members are 1 to 512 characters.
   */
  schedule(queue: string, member: string, dueAt: number): Promise<void>
  /**
   * Claims up to `limit` members that are due, or just `member` if that is due, each for `leaseMs` milliseconds: until
   * then no other call gets them. A claimed member stays in the queue, due again when the lease ends, until it is
   * rescheduled or unscheduled: so a worker that dies loses nothing.
   */
  claim(
    queue: string,
    claim: { readonly leaseMs: number; readonly limit: number; readonly member?: string },
  ): Promise<readonly string[]>
  /** Takes a member out of a queue. Nothing happens if it isn't there. */
  unschedule(queue: string, member: string): Promise<void>

  /** Wakes the subscribers of a topic, in this process and (where the adapter can) in others. A hint: it may get lost. */
  publish(topic: string): Promise<void>
  /** Calls `listener` at each wake-up of the topic, until the returned function is called. */
  subscribe(topic: string, listener: () => void): Promise<() => Promise<void>>
}

import { StoreUnavailableError } from '../errors.js'
import type { JsonValue } from './json.js'
import type { StateRecord, StateStore } from './state-store.js'

/** What becomes of a record: written (and how long it lives then), or left as it is. The result goes to the caller. */
export type Change<T> =
  | { readonly write: JsonValue; readonly ttlMs: number; readonly result: T }
  | { readonly write?: undefined; readonly result: T }

// Each round somebody succeeds, so this many rounds are lost only to this many other writers.
const ROUNDS = 100

/**
 * Reads a record, decides, and writes it only if nobody else did meanwhile; else it decides again. So simultaneous
 * requests add to a record instead of overwriting each other.
 *
 * @throws {@link StoreUnavailableError} when the record changes so often that we never got our turn: callers fail closed.
 */
export async function compareAndSet<T>(
  state: StateStore,
  key: string,
  decide: (record: StateRecord | undefined) => Change<T> | Promise<Change<T>>,
): Promise<T> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const record = await state.get(key)
    const change = await decide(record)
    if (change.write === undefined) return change.result
    const lifetime = { ttlMs: change.ttlMs }
    const written =
      record === undefined
        ? await state.putIfAbsent(key, change.write, lifetime)
        : await state.update(key, record.version, change.write, lifetime)
    if (written) return change.result
  }
  throw new StoreUnavailableError('a record is being changed by too many at once')
}

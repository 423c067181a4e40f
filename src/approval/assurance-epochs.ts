import type { Runtime } from '../runtime.js'
import { readEpochs, type AssuranceRecord, type EpochRecord, type StoredFactor } from './assurance-record.js'
import { compareAndSet } from './compare-and-set.js'
import type { Factor } from './factors.js'
import { keyOf, randomId } from './random-id.js'
import type { StateStore } from './state-store.js'

// As long as a store keeps anything, and longer than a login can last: when the record is gone, so is every login before it.
const TTL_MS = 400 * 86_400_000

/**
 * The revocation epochs of subjects. Random values, not times: a login that begins in the millisecond of a revocation,
 * or on a node whose clock is behind, is still told apart from those before it.
 */
export class Epochs {
  readonly #state: StateStore
  readonly #runtime: Runtime

  constructor(state: StateStore, runtime: Runtime) {
    this.#state = state
    this.#runtime = runtime
  }

  async read(subject: string): Promise<EpochRecord> {
    return readEpochs((await this.#state.get(keyOfEpoch(subject)))?.value, () => randomId(this.#runtime))
  }

  /** Begins a new epoch for everything, or for one factor. */
  async renew(
    subject: string,
    factor: string | undefined,
  ): Promise<{ readonly before: EpochRecord; readonly after: EpochRecord }> {
    const fresh = randomId(this.#runtime)
    return compareAndSet(this.#state, keyOfEpoch(subject), (record) => {
      const before = readEpochs(record?.value, () => randomId(this.#runtime))
      const after: EpochRecord =
        factor === undefined
          ? { all: fresh, factors: before.factors }
          : { all: before.all, factors: Object.fromEntries([...Object.entries(before.factors), [factor, fresh]]) }
      return { write: { all: after.all, factors: { ...after.factors } }, ttlMs: TTL_MS, result: { before, after } }
    })
  }

  /** Marks a factor with its epoch of now. */
  stamp(factor: Factor, epochs: EpochRecord): StoredFactor {
    return { ...factor, epoch: epochOf(epochs, factor.factor) }
  }

  /** True if nothing that the login rests on was revoked since. */
  holds(record: AssuranceRecord, epochs: EpochRecord): boolean {
    return record.epoch === epochs.all && record.factors.every(({ factor, epoch }) => epoch === epochOf(epochs, factor))
  }
}

function epochOf(epochs: EpochRecord, factor: string): string {
  return Object.hasOwn(epochs.factors, factor) ? (epochs.factors[factor] ?? '') : ''
}

function keyOfEpoch(subject: string): string {
  return `assurance-epoch:${keyOf(subject)}`
}

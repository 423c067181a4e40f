import { z } from 'zod'
import { InvalidInputError } from '../errors.js'
import { objectWith, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, type Runtime } from '../runtime.js'
import type { ReleaseHandle } from './approvals-types.js'
import { Epochs } from './assurance-epochs.js'
import { readAssurance, writeAssurance, type AssuranceRecord, type EpochRecord } from './assurance-record.js'
import { compareAndSet, type Change } from './compare-and-set.js'
import { evaluatePolicy, policySchema, toFactor, type Factor, type FactorInput, type FactorPolicy } from './factors.js'
import { randomId } from './random-id.js'
import type { StateRecord, StateStore } from './state-store.js'

/** The factors of one login. */
export interface Assurance {
  /** 128 random bits. The session (or the token's record) holds this and nothing else of it. */
  readonly id: string
  readonly subject: string
  /** Oldest first. Without those that were revoked. */
  readonly factors: readonly Factor[]
  /** True until the policy of a two-phase login is met: the user is not logged in. */
  readonly isPending: boolean
  /** What a pending login still has to meet. */
  readonly awaiting: FactorPolicy | undefined
  readonly createdAt: Date
  /** When it ends whatever happens. */
  readonly endsAt: Date
  /** When it ends unless it is used before. */
  readonly idleEndsAt: Date
}

/** What {@link createAssurances} takes. */
export interface AssurancesOptions {
  readonly state: StateStore
  /** How long a login lasts at most, in seconds. Default 24 hours (NIST SP 800-63B-4, AAL2), at most 399 days. */
  readonly absoluteSeconds?: number | undefined
  /** How long it lasts without being used, in seconds. Default 1 hour. */
  readonly idleSeconds?: number | undefined
  /** How long a login may wait for its second factor, in seconds. Default 10 minutes, at most an hour. */
  readonly pendingSeconds?: number | undefined
  readonly runtime?: Partial<Runtime> | undefined
}

/** Keeps the factors of logins in the state store, where parallel requests can't overwrite them and revoking works. */
export interface Assurances {
  /**
   * Begins a login with its first factors. With `awaiting` it is pending until {@link Assurances.complete}.
   * @throws InvalidInputError for an empty or overlong subject, StoreUnavailableError.
   */
  begin(login: {
    readonly subject: string
    readonly factors: readonly FactorInput[]
    readonly awaiting?: FactorPolicy | undefined
    readonly release?: readonly ReleaseHandle[] | undefined
  }): Promise<Assurance>
  /** Reads a login; nothing if it has ended or was revoked. Changes nothing. */
  read(id: string): Promise<Assurance | undefined>
  /** Reads a login and puts its idle end off. */
  use(id: string): Promise<Assurance | undefined>
  /** Records a factor by compare and set. Nothing if the login is gone. One of the same name and proof is replaced if it is older. */
  addFactor(
    id: string,
    factor: FactorInput,
    options?: { readonly release?: readonly ReleaseHandle[] | undefined },
  ): Promise<Assurance | undefined>
  /** Ends the waiting of a pending login whose policy is met. Of many simultaneous calls one gets the assurance; nothing for the others, or when the policy isn't met. */
  complete(id: string): Promise<Assurance | undefined>
  /** What a living login holds at providers. Changes nothing. */
  releases(id: string): Promise<readonly ReleaseHandle[]>
  /** Ends a login, and says what it leaves at providers, for `approvals.release`. */
  end(id: string): Promise<readonly ReleaseHandle[]>
  /**
   * Ends the logins of a subject at once, in all processes: all, or with `factor` those in which that factor was proved.
   * The login `except` goes on, without the revoked factor.
   */
  revoke(
    subject: string,
    options?: { readonly factor?: string | undefined; readonly except?: string | undefined },
  ): Promise<void>
}

const optionsSchema = z.strictObject({
  state: objectWith<StateStore>(['get', 'putIfAbsent', 'update', 'take'], 'give a state store'),
  absoluteSeconds: z
    .number()
    .int()
    .min(60)
    .max(399 * 86_400)
    .default(86_400),
  idleSeconds: z
    .number()
    .int()
    .min(60)
    .max(399 * 86_400)
    .default(3600),
  pendingSeconds: z.number().int().min(30).max(3600).default(600),
  runtime: runtimeOption,
})

const MAX_FACTORS = 32

/**
 * Makes the keeper of assurances.
 *
 * @throws {@link InvalidOptionError}
 *
 * @example
 * const assurances = createAssurances({ state: new MemoryStateStore() })
 */
export function createAssurances(options: AssurancesOptions): Assurances {
  return new StoredAssurances(parseOptions(optionsSchema, options, 'createAssurances'))
}

class StoredAssurances implements Assurances {
  readonly #state: StateStore
  readonly #runtime: Runtime
  readonly #epochs: Epochs
  readonly #absoluteMs: number
  readonly #idleMs: number
  readonly #pendingMs: number

  constructor(options: z.output<typeof optionsSchema>) {
    this.#state = options.state
    this.#runtime = resolveRuntime(options.runtime)
    this.#epochs = new Epochs(this.#state, this.#runtime)
    this.#absoluteMs = options.absoluteSeconds * 1000
    this.#idleMs = options.idleSeconds * 1000
    this.#pendingMs = options.pendingSeconds * 1000
  }

  async begin(login: Parameters<Assurances['begin']>[0]): Promise<Assurance> {
    checkSubject(login.subject)
    const now = this.#runtime.now()
    const epochs = await this.#epochs.read(login.subject)
    const id = randomId(this.#runtime)
    const endsAt = now + this.#absoluteMs
    const record: AssuranceRecord = {
      subject: login.subject,
      factors: login.factors.map((input) => this.#epochs.stamp(toFactor(input, now), epochs)),
      createdAt: now,
      endsAt,
      idleEndsAt: Math.min(endsAt, now + (login.awaiting === undefined ? this.#idleMs : this.#pendingMs)),
      epoch: epochs.all,
      awaiting: login.awaiting === undefined ? undefined : policySchema.parse(login.awaiting),
      release: login.release ?? [],
    }
    await this.#state.putIfAbsent(keyOfAssurance(id), writeAssurance(record), { ttlMs: record.idleEndsAt - now })
    return toAssurance(id, record)
  }

  async read(id: string): Promise<Assurance | undefined> {
    const living = await this.#living(isId(id) ? await this.#state.get(keyOfAssurance(id)) : undefined)
    return living && toAssurance(id, living.record)
  }

  async use(id: string): Promise<Assurance | undefined> {
    const assurance = await this.read(id)
    if (assurance === undefined || assurance.isPending) return assurance
    // A write a request would be a write too many: the idle end is exact to a tenth.
    const left = assurance.idleEndsAt.getTime() - this.#runtime.now()
    if (left > this.#idleMs * 0.9 || assurance.idleEndsAt >= assurance.endsAt) return assurance
    return this.#change(id, ({ record }) => record)
  }

  async addFactor(
    id: string,
    input: FactorInput,
    { release = [] }: { readonly release?: readonly ReleaseHandle[] | undefined } = {},
  ): Promise<Assurance | undefined> {
    const factor = toFactor(input, this.#runtime.now())
    return this.#change(id, ({ record, epochs }) => {
      const stamped = this.#epochs.stamp(factor, epochs)
      const same = (other: Factor): boolean => other.factor === factor.factor && other.proof === factor.proof
      const isOlder = record.factors.some((other) => same(other) && other.at > factor.at)
      const factors = isOlder ? record.factors : [...record.factors.filter((other) => !same(other)), stamped]
      return { ...record, factors: factors.slice(-MAX_FACTORS), release: [...record.release, ...release] }
    })
  }

  async complete(id: string): Promise<Assurance | undefined> {
    return this.#change(id, ({ record }) => {
      if (record.awaiting === undefined) return undefined
      if (!evaluatePolicy(record.awaiting, record.factors, this.#runtime.now()).met) return undefined
      return { ...record, awaiting: undefined }
    })
  }

  async releases(id: string): Promise<readonly ReleaseHandle[]> {
    const living = await this.#living(isId(id) ? await this.#state.get(keyOfAssurance(id)) : undefined)
    return living?.record.release ?? []
  }

  async end(id: string): Promise<readonly ReleaseHandle[]> {
    if (!isId(id)) return []
    return readAssurance((await this.#state.take(keyOfAssurance(id)))?.value)?.release ?? []
  }

  async revoke(subject: string, options: Parameters<Assurances['revoke']>[1] = {}): Promise<void> {
    checkSubject(subject)
    const { before, after } = await this.#epochs.renew(subject, options.factor)
    if (!isId(options.except)) return
    await compareAndSet<undefined>(this.#state, keyOfAssurance(options.except), (stored) => {
      const record = readAssurance(stored?.value)
      // Only a login that was alive until this very revocation goes on: an earlier one isn't undone.
      if (record?.subject !== subject || !this.#epochs.holds(record, before)) return { result: undefined }
      const factors = record.factors
        .filter(({ factor }) => factor !== options.factor)
        .map((factor) => this.#epochs.stamp(factor, after))
      return this.#written({ ...record, epoch: after.all, factors }, undefined)
    })
  }

  async #change(id: string, change: (living: Living) => AssuranceRecord | undefined): Promise<Assurance | undefined> {
    if (!isId(id)) return undefined
    return compareAndSet<Assurance | undefined>(this.#state, keyOfAssurance(id), async (stored) => {
      const living = await this.#living(stored)
      const changed = living && change(living)
      if (changed === undefined) return { result: undefined }
      const now = this.#runtime.now()
      const idleEndsAt =
        changed.awaiting === undefined ? Math.min(changed.endsAt, now + this.#idleMs) : changed.idleEndsAt
      const next = { ...changed, idleEndsAt }
      return this.#written(next, toAssurance(id, next))
    })
  }

  #written<T>(record: AssuranceRecord, result: T): Change<T> {
    return { write: writeAssurance(record), ttlMs: Math.max(1, record.idleEndsAt - this.#runtime.now()), result }
  }

  async #living(stored: StateRecord | undefined): Promise<Living | undefined> {
    const record = readAssurance(stored?.value)
    if (record === undefined || this.#runtime.now() >= Math.min(record.endsAt, record.idleEndsAt)) return undefined
    const epochs = await this.#epochs.read(record.subject)
    return this.#epochs.holds(record, epochs) ? { record, epochs } : undefined
  }
}

interface Living {
  readonly record: AssuranceRecord
  readonly epochs: EpochRecord
}

function keyOfAssurance(id: string): string {
  return `assurance:${id}`
}

function isId(id: unknown): id is string {
  return typeof id === 'string' && /^[A-Za-z0-9_-]{22}$/.test(id)
}

function checkSubject(subject: unknown): void {
  if (typeof subject === 'string' && subject.length > 0 && subject.length <= 256) return
  throw new InvalidInputError('subject', 'a subject is a string of 1 to 256 characters')
}

function toAssurance(id: string, record: AssuranceRecord): Assurance {
  return {
    id,
    subject: record.subject,
    factors: record.factors.map(({ epoch: _epoch, ...factor }) => factor),
    isPending: record.awaiting !== undefined,
    awaiting: record.awaiting,
    createdAt: new Date(record.createdAt),
    endsAt: new Date(record.endsAt),
    idleEndsAt: new Date(record.idleEndsAt),
  }
}

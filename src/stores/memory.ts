import { z } from 'zod'
import type { JsonValue } from '../approval/json.js'
import type { Counter, Lifetime, StateRecord, StateStore } from '../approval/state-store.js'
import { StoreFullError } from '../errors.js'
import { loggerOption, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../runtime.js'
import { checkDuration, checkIncrement, checkLimit, checkName, checkTime, decodeValue, encodeValue } from './check.js'
import { ExpiringMap, type Expiring } from './expiring-map.js'
import { WakeUps } from './wake-ups.js'

// Each write drops at most so many of the expired: more than it adds, and never a long pause.
const SWEEP = 8

/** What {@link MemoryStateStore} takes. */
export interface MemoryStateStoreOptions {
  /** How many records it holds at most, and as many counters and queue members. Default 100,000. */
  readonly capacity?: number | undefined
  /** How many characters of JSON all records together hold at most. Default 256 Mi. */
  readonly maxCharacters?: number | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

const optionsSchema = z.strictObject({
  capacity: z.int().min(1).max(10_000_000).default(100_000),
  maxCharacters: z.int().min(1).default(268_435_456),
  runtime: runtimeOption,
  logger: loggerOption,
})

interface MemoryRecord extends Expiring {
  json: string
  version: number
}

interface MemoryCounter extends Expiring {
  count: number
}

/**
 * A state store in the memory of one process: for tests, for trying things out, and for a server that runs as one
 * process and may forget pending logins when it restarts. Everything else wants the SQL or the Redis store.
 *
 * @throws {@link StoreFullError} from every write that would exceed the capacity, after the expired have been dropped.
 */
export class MemoryStateStore implements StateStore {
  readonly #capacity: number
  readonly #maxCharacters: number
  readonly #now: () => number
  readonly #records = new ExpiringMap<MemoryRecord>()
  readonly #counters = new ExpiringMap<MemoryCounter>()
  readonly #queues = new Map<string, Map<string, number>>()
  readonly #wakeUps: WakeUps
  #characters = 0
  #members = 0
  #writes = 0

  constructor(options: MemoryStateStoreOptions = {}) {
    const { capacity, maxCharacters, runtime, logger } = parseOptions(optionsSchema, options, 'MemoryStateStore')
    this.#capacity = capacity
    this.#maxCharacters = maxCharacters
    this.#now = resolveRuntime(runtime).now
    this.#wakeUps = new WakeUps(logger ?? silentLogger)
  }

  async get(key: string): Promise<StateRecord | undefined> {
    checkName('key', key)
    const record = this.#records.get(key, this.#now())
    return record && toStateRecord(record)
  }

  async put(key: string, value: JsonValue, lifetime: Lifetime): Promise<void> {
    this.#write(key, value, lifetime, true)
  }

  async putIfAbsent(key: string, value: JsonValue, lifetime: Lifetime): Promise<boolean> {
    return this.#write(key, value, lifetime, false)
  }

  async take(key: string): Promise<StateRecord | undefined> {
    checkName('key', key)
    const record = this.#records.get(key, this.#now())
    if (record === undefined) return undefined
    this.#drop(key)
    return toStateRecord(record)
  }

  async update(key: string, version: string, value: JsonValue, lifetime?: Lifetime): Promise<boolean> {
    checkName('key', key)
    const json = encodeValue(value)
    if (lifetime !== undefined) checkDuration('ttlMs', lifetime.ttlMs)
    const now = this.#now()
    this.#sweepRecords(now, SWEEP)
    const record = this.#records.get(key, now)
    if (record === undefined || String(record.version) !== version) return false
    this.#makeRoom(now, record, json.length)
    this.#characters += json.length - record.json.length
    if (lifetime !== undefined) {
      this.#records.set({ key, json, version: this.#nextVersion(), expiresAt: now + lifetime.ttlMs })
    } else {
      record.json = json
      record.version = this.#nextVersion()
    }
    return true
  }

  async delete(key: string): Promise<void> {
    checkName('key', key)
    this.#drop(key)
    this.#counters.delete(key)
  }

  async increment(key: string, window: { readonly windowMs: number; readonly by?: number }): Promise<Counter> {
    const by = window.by ?? 1
    checkName('key', key)
    checkDuration('windowMs', window.windowMs)
    checkIncrement(by)
    const now = this.#now()
    const counter = this.#counters.get(key, now)
    if (counter !== undefined) {
      counter.count += by
      return { count: counter.count, resetsAt: counter.expiresAt }
    }
    const resetsAt = now + window.windowMs
    if (by > 0) {
      this.#counters.delete(key)
      this.#counters.sweep(now, this.#counters.size < this.#capacity ? SWEEP : Infinity)
      if (this.#counters.size >= this.#capacity) throw full('counters')
      this.#counters.set({ key, count: by, expiresAt: resetsAt })
    }
    return { count: by, resetsAt }
  }

  async schedule(queue: string, member: string, dueAt: number): Promise<void> {
    checkName('queue', queue)
    checkName('member', member)
    checkTime('dueAt', dueAt)
    const members = this.#queues.get(queue) ?? new Map<string, number>()
    if (!members.has(member)) {
      if (this.#members >= this.#capacity) throw full('queue members')
      this.#members += 1
    }
    members.set(member, dueAt)
    this.#queues.set(queue, members)
  }

  async claim(
    queue: string,
    claim: { readonly leaseMs: number; readonly limit: number; readonly member?: string },
  ): Promise<readonly string[]> {
    checkName('queue', queue)
    checkDuration('leaseMs', claim.leaseMs)
    checkLimit(claim.limit)
    if (claim.member !== undefined) checkName('member', claim.member)
    const members = this.#queues.get(queue)
    if (members === undefined) return []
    const now = this.#now()
    const claimed = dueMembers(members, now, claim.member).slice(0, claim.limit)
    for (const member of claimed) members.set(member, now + claim.leaseMs)
    return claimed
  }

  async unschedule(queue: string, member: string): Promise<void> {
    checkName('queue', queue)
    checkName('member', member)
    const members = this.#queues.get(queue)
    if (members?.delete(member) !== true) return
    this.#members -= 1
    if (members.size === 0) this.#queues.delete(queue)
  }

  async publish(topic: string): Promise<void> {
    checkName('topic', topic)
    this.#wakeUps.wake(topic)
  }

  async subscribe(topic: string, listener: () => void): Promise<() => Promise<void>> {
    checkName('topic', topic)
    const remove = this.#wakeUps.add(topic, listener)
    return async () => {
      remove()
    }
  }

  #write(key: string, value: JsonValue, { ttlMs }: Lifetime, replaces: boolean): boolean {
    checkName('key', key)
    checkDuration('ttlMs', ttlMs)
    const json = encodeValue(value)
    const now = this.#now()
    this.#sweepRecords(now, SWEEP)
    const kept = this.#records.peek(key)
    const previous = kept !== undefined && kept.expiresAt > now ? kept : undefined
    if (previous !== undefined && !replaces) return false
    if (kept !== undefined && previous === undefined) this.#drop(key)
    this.#makeRoom(now, previous, json.length)
    this.#characters += json.length - (previous?.json.length ?? 0)
    this.#records.set({ key, json, version: this.#nextVersion(), expiresAt: now + ttlMs })
    return true
  }

  /** Drops all that has expired, but only if there is no room otherwise. */
  #makeRoom(now: number, previous: MemoryRecord | undefined, characters: number): void {
    if (this.#fits(previous, characters)) return
    this.#sweepRecords(now, Infinity)
    if (!this.#fits(previous, characters)) throw full('records')
  }

  #fits(previous: MemoryRecord | undefined, characters: number): boolean {
    return (
      this.#records.size + (previous === undefined ? 1 : 0) <= this.#capacity &&
      this.#characters + characters - (previous?.json.length ?? 0) <= this.#maxCharacters
    )
  }

  #sweepRecords(now: number, limit: number): void {
    this.#records.sweep(now, limit, (record) => {
      this.#characters -= record.json.length
    })
  }

  #drop(key: string): void {
    this.#characters -= this.#records.delete(key)?.json.length ?? 0
  }

  #nextVersion(): number {
    this.#writes += 1
    return this.#writes
  }
}

function full(what: string): StoreFullError {
  return new StoreFullError(`the memory store is full: no room for more ${what}`)
}

function toStateRecord(record: MemoryRecord): StateRecord {
  return { value: decodeValue(record.json), version: String(record.version), expiresAt: record.expiresAt }
}

function dueMembers(members: ReadonlyMap<string, number>, now: number, only: string | undefined): readonly string[] {
  if (only !== undefined) return (members.get(only) ?? Infinity) <= now ? [only] : []
  const due: { readonly member: string; readonly dueAt: number }[] = []
  for (const [member, dueAt] of members) if (dueAt <= now) due.push({ member, dueAt })
  return due.sort((a, b) => a.dueAt - b.dueAt).map(({ member }) => member)
}

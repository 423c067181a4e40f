import { sql, type RawBuilder } from 'kysely'
import { z } from 'zod'
import type { JsonValue } from '../../approval/json.js'
import type { Counter, Lifetime, StateRecord, StateStore } from '../../approval/state-store.js'
import { loggerOption, objectWith, parseOptions, runtimeOption } from '../../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../../runtime.js'
import { checkDuration, checkIncrement, checkName, decodeValue, encodeValue, storedName } from '../check.js'
import { versionSource } from '../versions.js'
import { WakeUps } from '../wake-ups.js'
import { Cleaner } from './cleaner.js'
import { databaseOption, isPostgres, table, tablePrefixOption, toInteger, toText } from './database.js'
import type { SqlDatabase } from './sql-database.js'
import type { PostgresPool } from './postgres-pool.js'
import { PostgresWakeUps } from './postgres-wake-ups.js'
import { Queries } from './query.js'
import { SqlQueues } from './queues.js'

/** What {@link SqlStateStore} takes. */
export interface SqlStateStoreOptions {
  /** A Kysely instance on SQLite or PostgreSQL, with the tables that `migrateToLatest` makes. */
  readonly db: SqlDatabase
  /**
   * The `pg` pool under a PostgreSQL `db`. With it, wake-ups reach other processes (LISTEN/NOTIFY, one connection a
   * process), and a broken idle connection of the pool can't end the process. Without it they stay in this process.
   */
  readonly pool?: PostgresPool | undefined
  /** What the names of our tables begin with. Default `oob_`. */
  readonly tablePrefix?: string | undefined
  /** How long an answer of the database may take, in milliseconds. Default 5000. */
  readonly timeoutMs?: number | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

const optionsSchema = z.strictObject({
  db: databaseOption,
  pool: objectWith<PostgresPool>(['connect', 'on'], 'give a pool of the npm package pg').optional(),
  tablePrefix: tablePrefixOption,
  timeoutMs: z.int().min(1).max(60_000).default(5_000),
  runtime: runtimeOption,
  logger: loggerOption,
})

interface Row {
  readonly value: unknown
  readonly version: unknown
  readonly expires_at: unknown
}

/**
 * A state store in SQLite (one machine) or PostgreSQL (many). Every step is a single statement, so it is atomic between
 * processes too; what was acknowledged survives a crash. Expired rows are ignored when read, and deleted a few hundred
 * at a time as others are written; {@link SqlStateStore.clean} does it at will.
 *
 * @throws {@link InvalidOptionError} from the constructor; {@link StoreUnavailableError} from every method when the
 *   database can't be reached, stays locked, takes longer than `timeoutMs`, or has no tables yet.
 */
export class SqlStateStore implements StateStore {
  readonly #queries: Queries
  readonly #records: RawBuilder<unknown>
  readonly #counters: RawBuilder<unknown>
  readonly #queues: SqlQueues
  readonly #cleaners: readonly Cleaner[]
  readonly #wakeUps: WakeUps
  readonly #remote: PostgresWakeUps | undefined
  readonly #now: () => number
  readonly #nextVersion: () => string
  readonly #logger: Logger

  constructor(options: SqlStateStoreOptions) {
    const settings = parseOptions(optionsSchema, options, 'SqlStateStore')
    const { db, pool, tablePrefix, timeoutMs } = settings
    const runtime = resolveRuntime(settings.runtime)
    const postgres = isPostgres(db, 'SqlStateStore')
    this.#logger = settings.logger ?? silentLogger
    this.#now = () => Math.floor(runtime.now())
    this.#nextVersion = versionSource(runtime.randomBytes)
    this.#queries = new Queries(db, timeoutMs)
    this.#records = table(tablePrefix, 'state')
    this.#counters = table(tablePrefix, 'counters')
    this.#queues = new SqlQueues(this.#queries, { table: table(tablePrefix, 'queue'), postgres, now: this.#now })
    this.#cleaners = [this.#records, this.#counters].map(
      (of) => new Cleaner(this.#queries, { table: of, id: 'name', postgres }),
    )
    this.#wakeUps = new WakeUps(this.#logger)
    this.#remote =
      pool &&
      new PostgresWakeUps({
        pool,
        channel: `${tablePrefix}wake_ups`,
        own: this.#nextVersion(),
        local: this.#wakeUps,
        logger: this.#logger,
      })
  }

  async get(key: string): Promise<StateRecord | undefined> {
    checkName('key', key)
    return this.#one(sql<Row>`
      select value, version, expires_at from ${this.#records}
      where name = ${storedName(key)} and expires_at > ${this.#now()}`)
  }

  async put(key: string, value: JsonValue, lifetime: Lifetime): Promise<void> {
    await this.#write(key, value, lifetime, sql``)
  }

  async putIfAbsent(key: string, value: JsonValue, lifetime: Lifetime): Promise<boolean> {
    return this.#write(key, value, lifetime, sql`where ${this.#records}.expires_at <= ${this.#now()}`)
  }

  async take(key: string): Promise<StateRecord | undefined> {
    checkName('key', key)
    return this.#one(sql<Row>`
      delete from ${this.#records} where name = ${storedName(key)} and expires_at > ${this.#now()}
      returning value, version, expires_at`)
  }

  async update(key: string, version: string, value: JsonValue, lifetime?: Lifetime): Promise<boolean> {
    checkName('key', key)
    if (lifetime !== undefined) checkDuration('ttlMs', lifetime.ttlMs)
    const now = this.#now()
    const end = lifetime === undefined ? sql`` : sql`, expires_at = ${now + lifetime.ttlMs}`
    const rows = await this.#queries.rows(sql`
      update ${this.#records} set value = ${encodeValue(value)}, version = ${this.#nextVersion()} ${end}
      where name = ${storedName(key)} and version = ${storedName(version)} and expires_at > ${now} returning name`)
    return rows.length === 1
  }

  async delete(key: string): Promise<void> {
    checkName('key', key)
    await this.#queries.rows(sql`delete from ${this.#records} where name = ${storedName(key)}`)
    await this.#queries.rows(sql`delete from ${this.#counters} where name = ${storedName(key)}`)
  }

  async increment(key: string, window: { readonly windowMs: number; readonly by?: number }): Promise<Counter> {
    const by = window.by ?? 1
    checkName('key', key)
    checkDuration('windowMs', window.windowMs)
    checkIncrement(by)
    const name = storedName(key)
    const now = this.#now()
    const resetsAt = now + window.windowMs
    const of = this.#counters
    const rows = await this.#queries.rows(
      by === 0
        ? sql<CounterRow>`select total, expires_at from ${of} where name = ${name} and expires_at > ${now}`
        : sql<CounterRow>`
            insert into ${of} (name, total, expires_at) values (${name}, ${by}, ${resetsAt})
            on conflict (name) do update set
              total = case when ${of}.expires_at <= ${now} then excluded.total else ${of}.total + excluded.total end,
              expires_at = case when ${of}.expires_at <= ${now} then excluded.expires_at else ${of}.expires_at end
            returning total, expires_at`,
    )
    if (by > 0) await this.#cleanSometimes()
    const row = rows[0]
    return row ? { count: toInteger(row.total), resetsAt: toInteger(row.expires_at) } : { count: 0, resetsAt }
  }

  schedule(queue: string, member: string, dueAt: number): Promise<void> {
    return this.#queues.schedule(queue, member, dueAt)
  }

  claim(
    queue: string,
    claim: { readonly leaseMs: number; readonly limit: number; readonly member?: string },
  ): Promise<readonly string[]> {
    return this.#queues.claim(queue, claim)
  }

  unschedule(queue: string, member: string): Promise<void> {
    return this.#queues.unschedule(queue, member)
  }

  async publish(topic: string): Promise<void> {
    checkName('topic', topic)
    this.#wakeUps.wake(storedName(topic))
    await this.#remote?.publish(storedName(topic), this.#queries)
  }

  async subscribe(topic: string, listener: () => void): Promise<() => Promise<void>> {
    checkName('topic', topic)
    const remove = this.#wakeUps.add(storedName(topic), listener)
    await this.#remote?.listen()
    return async () => {
      remove()
    }
  }

  /**
   * Deletes expired rows, up to 500 a table. Never needed for correctness; useful from a timer where little is written.
   *
   * @returns how many rows were deleted: call again while it is more than 0.
   */
  async clean(): Promise<number> {
    const now = this.#now()
    const counts = await Promise.all(this.#cleaners.map((cleaner) => cleaner.clean(now)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Stops listening for wake-ups and gives the connection for them back. `db` and `pool` stay open: they are the application's. */
  async close(): Promise<void> {
    await this.#remote?.close()
  }

  async #write(key: string, value: JsonValue, lifetime: Lifetime, condition: RawBuilder<unknown>): Promise<boolean> {
    checkName('key', key)
    checkDuration('ttlMs', lifetime.ttlMs)
    const rows = await this.#queries.rows(sql`
      insert into ${this.#records} (name, value, version, expires_at)
      values (${storedName(key)}, ${encodeValue(value)}, ${this.#nextVersion()}, ${this.#now() + lifetime.ttlMs})
      on conflict (name) do update
        set value = excluded.value, version = excluded.version, expires_at = excluded.expires_at ${condition}
      returning name`)
    await this.#cleanSometimes()
    return rows.length === 1
  }

  async #one(statement: RawBuilder<Row>): Promise<StateRecord | undefined> {
    const row = (await this.#queries.rows(statement))[0]
    if (row === undefined) return undefined
    return { value: decodeValue(toText(row.value)), version: toText(row.version), expiresAt: toInteger(row.expires_at) }
  }

  async #cleanSometimes(): Promise<void> {
    if (this.#cleaners[0]?.countWrite() !== true) return
    try {
      await this.clean()
    } catch (error) {
      // The write that it came with was acknowledged already.
      this.#logger.warn({ err: error }, 'expired rows could not be deleted')
    }
  }
}

interface CounterRow {
  readonly total: unknown
  readonly expires_at: unknown
}

import { sql, type RawBuilder } from 'kysely'
import type { Queries } from './query.js'

const BATCH = 500
// On average each write then removes more than it adds, and no write removes more than a batch.
const WRITES_PER_BATCH = 250

/** Deletes expired rows of a table, a bounded number at a time, whenever so many writes have been counted. */
export class Cleaner {
  readonly #queries: Queries
  readonly #table: RawBuilder<unknown>
  readonly #id: RawBuilder<unknown>
  readonly #skipLocked: RawBuilder<unknown>
  #writes = 0

  constructor(queries: Queries, options: { table: RawBuilder<unknown>; id: string; postgres: boolean }) {
    this.#queries = queries
    this.#table = options.table
    this.#id = sql.ref(options.id)
    this.#skipLocked = options.postgres ? sql`for update skip locked` : sql``
  }

  /** Counts a write; true when it is time to {@link clean}. */
  countWrite(): boolean {
    this.#writes += 1
    return this.#writes % WRITES_PER_BATCH === 0
  }

  /** Deletes up to 500 rows that expired before `now`, and says how many. */
  async clean(now: number): Promise<number> {
    const deleted = await this.#queries.rows(sql`
      delete from ${this.#table} where expires_at <= ${now} and ${this.#id} in (
        select ${this.#id} from ${this.#table} where expires_at <= ${now} order by expires_at limit ${BATCH} ${this.#skipLocked}
      ) returning ${this.#id}`)
    return deleted.length
  }
}

import { SelectQueryNode, type CompiledQuery, type DatabaseConnection, type QueryResult } from 'kysely'
import type { SqliteHandle, SqliteStatement, SqliteValue } from './sqlite-module.js'

const MAX_STATEMENTS = 200
const MAX_PAUSE_MS = 25

/** The database stayed locked for the whole busy timeout. Nothing was written. */
export class SqliteBusyError extends Error {
  readonly code = 'SQLITE_BUSY'
}

/** The one connection of a {@link SqliteHandle}, as Kysely wants it. */
export class SqliteConnection implements DatabaseConnection {
  readonly #handle: SqliteHandle
  readonly #busyTimeoutMs: number
  readonly #statements = new Map<string, SqliteStatement>()

  constructor(handle: SqliteHandle, busyTimeoutMs: number) {
    this.#handle = handle
    this.#busyTimeoutMs = busyTimeoutMs
  }

  async executeQuery<R>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<R>> {
    const values = parameters.map(toSqliteValue)
    // `all` runs a statement to its end whether or not it gives rows, and resets it: a statement that is left in the
    // middle keeps its transaction open.
    const rows = await this.#patiently(() => this.#statement(sql).all(...values))
    if (SelectQueryNode.is(query)) return { rows: rows as R[] }
    const counts = this.#statement('select changes() as changes, last_insert_rowid() as id').all()[0] as Counts
    return { rows: rows as R[], numAffectedRows: BigInt(counts.changes), insertId: BigInt(counts.id) }
  }

  async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    // Not from the cache: the same statement may run again while this one is being read.
    for (const row of this.#handle.prepare(sql).iterate(...parameters.map(toSqliteValue))) yield { rows: [row as R] }
  }

  /** Runs a statement without parameters. */
  async exec(sql: string): Promise<void> {
    await this.#patiently(() => {
      this.#handle.exec(sql)
    })
  }

  /** Rolls back a transaction if one is open. */
  endStrayTransaction(): void {
    if (this.#handle.isTransaction === false) return
    try {
      this.#handle.exec('rollback')
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('no transaction is active'))) throw error
    }
  }

  close(): void {
    this.#statements.clear()
    this.#handle.close()
  }

  async #patiently<T>(step: () => T): Promise<T> {
    const deadline = performance.now() + this.#busyTimeoutMs
    for (let pause = 1; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      try {
        return step()
      } catch (error) {
        if (!isBusy(error)) throw error
        if (performance.now() + pause > deadline) {
          throw new SqliteBusyError('another process kept the database locked', { cause: error })
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }

  #statement(sql: string): SqliteStatement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#handle.prepare(sql)
    const oldest = this.#statements.size < MAX_STATEMENTS ? undefined : this.#statements.keys().next().value
    if (oldest !== undefined) this.#statements.delete(oldest)
    this.#statements.set(sql, statement)
    return statement
  }
}

interface Counts {
  readonly changes: number
  readonly id: number
}

function isBusy(error: unknown): boolean {
  // Node gives the number, @photostructure/sqlite only the sentence.
  if (!(error instanceof Error)) return false
  return ('errcode' in error && Number(error.errcode) % 256 === 5) || error.message.includes('database is locked')
}

function toSqliteValue(value: unknown): SqliteValue {
  // A driver that reads text up to the first NUL would give `admin` for what was stored, and compared, as `admin\0x`.
  if (typeof value === 'string' && value.includes('\0')) throw new TypeError('text in SQL holds no NUL character')
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value === null || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string')
    return value
  if (value instanceof Uint8Array) return value
  throw new TypeError(
    `SQLite stores no ${value === undefined ? 'undefined' : 'objects'}: give null, a number, a string or bytes`,
  )
}

import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, type Dialect, type Driver, type Kysely } from 'kysely'
import { objectWith } from '../../options.js'
import { SqliteDriver } from './sqlite-driver.js'
import { type SqliteDialectOptions, type SqliteSettings, sqliteSettings } from './sqlite-settings.js'

/**
 * A Kysely dialect, to be given to `new Kysely({ dialect })`. The methods are Kysely's business; they are declared so
 * that they fit any version of it without our declarations needing one.
 */
export interface SqlDialect {
  createAdapter(): never
  createDriver(): never
  createIntrospector(db: never): never
  createQueryCompiler(): never
}

const dialectShape = objectWith<SqlDialect>(
  ['createAdapter', 'createDriver', 'createIntrospector', 'createQueryCompiler'],
  'not a dialect',
)

/**
 * The Kysely dialect for embedded SQLite: Node's own (22.13 and newer), or the npm package `@photostructure/sqlite` on
 * Node 20. Write-ahead log, foreign keys on, transactions that begin by taking the write lock.
 *
 * Make one Kysely instance a process and share it between the stores: a second handle on the same file only waits for the first.
 *
 * @throws {@link InvalidOptionError} for a wrong option. The file is opened at the first query.
 *
 * @example
 * const db = new Kysely({ dialect: sqliteDialect({ file: 'app.db' }) })
 * await migrateToLatest({ db })
 * const state = new SqlStateStore({ db })
 */
export function sqliteDialect(options: SqliteDialectOptions): SqlDialect {
  return dialectShape.parse(new NodeSqliteDialect(sqliteSettings(options)))
}

class NodeSqliteDialect implements Dialect {
  readonly #settings: SqliteSettings

  constructor(settings: SqliteSettings) {
    this.#settings = settings
  }

  createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter()
  }

  createDriver(): Driver {
    return new SqliteDriver(this.#settings)
  }

  createIntrospector(db: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(db)
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler()
  }
}

class TransactionalSqliteAdapter extends SqliteAdapter {
  // SQLite's schema changes are transactional, and our transactions begin with the write lock: so two processes that
  // migrate one file at the same time take turns, and a crash in the middle leaves nothing half done.
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

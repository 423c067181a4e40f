/**
 * A Kysely instance, on SQLite (`sqliteDialect`, or Kysely's own with a better-sqlite3 handle) or on PostgreSQL
 * (Kysely's `PostgresDialect`). Described by what tells it from something else, so that our declarations need no Kysely.
 */
export interface SqlDatabase {
  selectFrom(...args: never[]): unknown
  transaction(): unknown
  getExecutor(): unknown
}

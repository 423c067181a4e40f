import { ConfigurationError } from '../../errors.js'

/** A prepared statement of `node:sqlite`, by what we use of it. */
export interface SqliteStatement {
  all(...parameters: SqliteValue[]): unknown[]
  iterate(...parameters: SqliteValue[]): Iterable<unknown>
}

/** A handle of `node:sqlite`, by what we use of it. */
export interface SqliteHandle {
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
  /** Not on Node 22.13 to 22.15. */
  readonly isTransaction?: boolean
}

/** What SQLite can store. */
export type SqliteValue = null | number | bigint | string | Uint8Array

interface SqliteModule {
  readonly DatabaseSync: new (file: string) => SqliteHandle
}

/** Node's own SQLite where there is one, else the same API from npm. */
export async function loadSqlite(): Promise<SqliteModule> {
  const builtin: unknown = process.getBuiltinModule('node:sqlite' as 'node:fs')
  if (isSqliteModule(builtin)) return builtin
  let installed: unknown
  try {
    installed = await import('@photostructure/sqlite')
  } catch (cause) {
    throw new ConfigurationError(
      'this Node has no SQLite of its own: run `npm install @photostructure/sqlite`, or use Node 22.13 or newer',
      { cause },
    )
  }
  if (isSqliteModule(installed)) return installed
  throw new ConfigurationError('the installed @photostructure/sqlite has no DatabaseSync: install version 1.2 or newer')
}

function isSqliteModule(value: unknown): value is SqliteModule {
  return (
    typeof value === 'object' && value !== null && 'DatabaseSync' in value && typeof value.DatabaseSync === 'function'
  )
}

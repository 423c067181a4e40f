import { PostgresAdapter, sql, type Kysely, type RawBuilder } from 'kysely'
import { z } from 'zod'
import { InvalidOptionError } from '../../errors.js'
import { objectWith } from '../../options.js'
import type { SqlDatabase } from './sql-database.js'

const kyselyShape = objectWith<Kysely<unknown> & SqlDatabase>(
  ['selectFrom', 'transaction', 'getExecutor'],
  'give a Kysely instance',
)

/** The `db` option of the SQL stores. */
export const databaseOption = kyselyShape

/** The `tablePrefix` option of the SQL stores and migrations. Table names are the one thing that can't be a parameter. */
export const tablePrefixOption = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,29}$/, {
    error: 'give 1 to 30 lower-case letters, digits and underscores, beginning with a letter',
  })
  .default('oob_')

/** The Kysely instance that `db` is. */
export function toKysely(db: SqlDatabase, owner: string): Kysely<unknown> {
  const result = kyselyShape.safeParse(db)
  if (!result.success) throw new InvalidOptionError('db', `${owner}: option 'db' is wrong: give a Kysely instance`)
  return result.data
}

/** Whether the database is PostgreSQL. Otherwise it is SQLite: other databases lack `returning`, and are refused. */
export function isPostgres(db: Kysely<unknown>, owner: string): boolean {
  const { adapter } = db.getExecutor()
  if (!adapter.supportsReturning) {
    throw new InvalidOptionError('db', `${owner}: option 'db' is wrong: give a Kysely instance on SQLite or PostgreSQL`)
  }
  return adapter instanceof PostgresAdapter
}

/** A table of ours, for use in an `sql` template. */
export function table(prefix: string, name: string): RawBuilder<unknown> {
  return sql.table(prefix + name)
}

/** A whole number, as SQLite gives it or as PostgreSQL gives a bigint: as text. */
export function toInteger(value: unknown): number {
  const number =
    typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint' ? Number(value) : NaN
  if (!Number.isSafeInteger(number)) throw new TypeError('the database gave something else than a whole number')
  return number
}

/** A text column. */
export function toText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('the database gave something else than text')
  return value
}

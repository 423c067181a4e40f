import { Migrator } from 'kysely'
import { z } from 'zod'
import { StoreUnavailableError } from '../../errors.js'
import { parseOptions } from '../../options.js'
import { databaseOption, isPostgres, tablePrefixOption } from './database.js'
import type { SqlDatabase } from './sql-database.js'
import { migrationsFor } from './migrations/index.js'

/** What {@link migrateToLatest} takes. */
export interface MigrateOptions {
  readonly db: SqlDatabase
  /** What the names of our tables begin with. Give the stores the same. Default `oob_`. */
  readonly tablePrefix?: string | undefined
}

const optionsSchema = z.strictObject({ db: databaseOption, tablePrefix: tablePrefixOption })

/**
 * Brings the tables of all SQL stores to the newest schema, forwards only. Run it before the stores are used: at start, or
 * as a step of the deployment. Safe to run again, and by several processes at once.
 *
 * @returns the names of the migrations that were applied; empty if there was nothing to do.
 * @throws {@link StoreUnavailableError} if the database can't be reached or a migration fails; nothing is half applied.
 */
export async function migrateToLatest(options: MigrateOptions): Promise<readonly string[]> {
  const { db, tablePrefix } = parseOptions(optionsSchema, options, 'migrateToLatest')
  isPostgres(db, 'migrateToLatest')
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrationsFor(tablePrefix)) },
    migrationTableName: `${tablePrefix}migration`,
    migrationLockTableName: `${tablePrefix}migration_lock`,
  })
  const { error, results } = await migrator.migrateToLatest()
  if (error !== undefined) throw new StoreUnavailableError('the migration of the database failed', { cause: error })
  return (results ?? []).filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName)
}

import { ConfigurationError, InvalidOptionError } from '../errors.js'
import { sqliteDialect, type SqlDatabase } from '../stores/sql/index.js'

const POSTGRES = /^postgres(ql)?:\/\//

/** An open database, and how to close it. */
export interface OpenDatabase {
  readonly db: SqlDatabase
  /** Runs a query that takes no parameters. */
  readonly query: (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]>
  readonly close: () => Promise<void>
}

/** Opens `postgres://...` or the path of an SQLite file. */
export async function openDatabase(target: string | undefined): Promise<OpenDatabase> {
  if (target === undefined || target === '') {
    throw new InvalidOptionError(
      '--database',
      'give --database FILE or --database postgres://... (or set DATABASE_URL)',
    )
  }
  // Without the address: there may be a password in it.
  if (target.includes('://') && !POSTGRES.test(target)) {
    throw new InvalidOptionError('--database', 'databases are SQLite files or postgres://...')
  }
  const { Kysely, PostgresDialect, CompiledQuery } = await peer('kysely', () => import('kysely'))
  const dialect = POSTGRES.test(target)
    ? new PostgresDialect({
        pool: new (await peer('pg', () => import('pg'))).default.Pool({ connectionString: target }),
      })
    : sqliteDialect({ file: target })
  const db = new Kysely<unknown>({ dialect })
  return {
    db,
    query: async (text) => (await db.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text))).rows,
    close: () => db.destroy(),
  }
}

async function peer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    throw new ConfigurationError(`this command needs ${name}: npm install ${name}`, { cause: error })
  }
}

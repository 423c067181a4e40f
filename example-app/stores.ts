import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely, PostgresDialect } from 'kysely'
import type { StateStore } from 'passport-outofband'
import { RedisStateStore } from 'passport-outofband/stores/redis'
import {
  migrateToLatest,
  sqliteDialect,
  SqlSessionStore,
  SqlStateStore,
  SqlUserStore,
} from 'passport-outofband/stores/sql'
import pg from 'pg'
import { createClient } from 'redis'
import type { Config } from './config.js'
import { Audit } from './audit.js'
import { Customers, type BankDatabase } from './customers.js'
import { Documents } from './documents.js'
import { Transfers } from './transfers.js'

/** Where the bank keeps what it knows. */
export interface Stores {
  /** The user service's. */
  readonly users: SqlUserStore
  readonly customers: Customers
  readonly audit: Audit
  readonly transfers: Transfers
  readonly documents: Documents
  readonly sessions: SqlSessionStore
  readonly state: StateStore
  close(): Promise<void>
}

/** Opens the database (SQLite by default) and, if it is configured, Redis; and brings the tables up to date. */
export async function openStores(config: Config): Promise<Stores> {
  const pool = config.databaseUrl === undefined ? undefined : new pg.Pool({ connectionString: config.databaseUrl })
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  const db = new Kysely<BankDatabase>({
    dialect: pool ? new PostgresDialect({ pool }) : sqliteDialect({ file: join(config.dataDir, 'bank.db') }),
  })
  await migrateToLatest({ db })
  const customers = new Customers(db)
  await customers.createTable()
  const audit = new Audit(db)
  await audit.createTable()
  const transfers = new Transfers(db)
  await transfers.createTable()
  const documents = new Documents(db)
  await documents.createTable()
  const redis = config.redisUrl === undefined ? undefined : createClient({ url: config.redisUrl })
  if (redis) await redis.connect()
  const state = redis ? new RedisStateStore({ client: redis }) : new SqlStateStore({ db, ...(pool ? { pool } : {}) })
  return {
    users: new SqlUserStore({ db }),
    customers,
    audit,
    transfers,
    documents,
    sessions: new SqlSessionStore({ db }),
    state,
    close: async () => {
      if (redis) await redis.close()
      await db.destroy()
    },
  }
}

import { join } from 'node:path'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { MemoryStateStore, MemoryUserStore } from 'passport-outofband/stores'
import { migrateToLatest, sqliteDialect, SqlStateStore, SqlUserStore } from 'passport-outofband/stores/sql'
import type { UserStore } from 'passport-outofband/users'
import { Pool } from 'pg'
import type { StateStore } from '../../src/approval/state-store.js'
import type { Runtime } from '../../src/runtime.js'
import { makeTemporaryFolder, removeFolder } from '../support/temporary.js'

/** Fresh and empty stores for one scenario. */
export interface Stores {
  readonly store: UserStore
  readonly state: StateStore
  readonly close: () => Promise<void>
}

export type OpenStores = (runtime: Runtime) => Promise<Stores>

export const memoryStores: OpenStores = async (runtime) => ({
  store: new MemoryUserStore(),
  state: new MemoryStateStore({ runtime: { now: runtime.now } }),
  close: async () => undefined,
})

/** A new SQLite file each time. */
export const sqliteStores: OpenStores = async (runtime) => {
  const folder = makeTemporaryFolder()
  const db = new Kysely<unknown>({
    dialect: sqliteDialect({ file: join(folder, 'users.db'), synchronous: 'normal' }),
  })
  await migrateToLatest({ db })
  return {
    store: new SqlUserStore({ db }),
    state: new SqlStateStore({ db, runtime: { now: runtime.now } }),
    close: async () => {
      await db.destroy()
      removeFolder(folder)
    },
  }
}

/** One PostgreSQL, with tables of its own, which are emptied each time. */
export async function postgresStores(
  connectionString: string,
): Promise<{ open: OpenStores; close: () => Promise<void> }> {
  const pool = new Pool({ connectionString, max: 10 })
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  const tablePrefix = 'scenario_'
  await migrateToLatest({ db, tablePrefix })
  const open: OpenStores = async (runtime) => {
    await sql`truncate scenario_users, scenario_state, scenario_counters restart identity`.execute(db)
    return {
      store: new SqlUserStore({ db, tablePrefix }),
      state: new SqlStateStore({ db, tablePrefix, runtime: { now: runtime.now } }),
      close: async () => undefined,
    }
  }
  return { open, close: () => db.destroy() }
}

import { Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import { createClient } from 'redis'
import type { StateStore } from '../../../src/approval/state-store.js'
import { RedisStateStore } from '../../../src/stores/redis/index.js'
import { migrateToLatest, sqliteDialect, SqlStateStore } from '../../../src/stores/sql/index.js'

/** Which store a process opens: the path of a file for SQLite, otherwise a URL. */
export interface StorePlace {
  readonly kind: 'sqlite' | 'postgres' | 'redis'
  readonly at: string
  /** For SQLite. */
  readonly busyTimeoutMs?: number
}

export interface OpenStore {
  readonly store: StateStore
  readonly close: () => Promise<void>
}

/** Opens a store as an application would. */
export async function openStore({ kind, at, busyTimeoutMs }: StorePlace): Promise<OpenStore> {
  if (kind === 'redis') {
    const client = createClient({ url: at, socket: { reconnectStrategy: 50 } })
    const store = new RedisStateStore({ client, timeoutMs: 1_000 })
    await client.connect()
    return {
      store,
      close: async () => {
        await store.close()
        client.destroy()
      },
    }
  }
  const pool = kind === 'postgres' ? new Pool({ connectionString: at, max: 10 }) : undefined
  const db = new Kysely({ dialect: pool ? new PostgresDialect({ pool }) : sqliteDialect({ file: at, busyTimeoutMs }) })
  await migrateToLatest({ db })
  const store = new SqlStateStore({ db, pool, timeoutMs: 5_000 })
  return {
    store,
    close: async () => {
      await store.close()
      await db.destroy()
    },
  }
}

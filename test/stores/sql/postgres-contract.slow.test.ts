import { Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import { migrateToLatest, SqlStateStore } from 'passport-outofband/stores/sql'
import { stateStoreContract } from '../../contract/state-store.js'
import { describeWith, sharedPostgres } from '../../support/services.js'

describeWith('postgres', 'PostgreSQL', () => {
  stateStoreContract('SqlStateStore on PostgreSQL', async () => {
    const connectionString = await sharedPostgres()
    const pools = [new Pool({ connectionString, max: 10 }), new Pool({ connectionString, max: 10 })]
    const handles = pools.map((pool) => ({ pool, db: new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) }) }))
    await migrateToLatest({ db: handles[0]!.db })
    const stores: SqlStateStore[] = []
    return {
      wakesOthers: true,
      open: async (runtime) => {
        const store = new SqlStateStore({ ...handles[stores.length % 2]!, runtime })
        stores.push(store)
        return store
      },
      close: async () => {
        for (const store of stores) await store.close()
        for (const { db } of handles) await db.destroy()
      },
    }
  })
})

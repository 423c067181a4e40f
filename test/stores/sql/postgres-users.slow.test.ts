import { Kysely, PostgresDialect, sql } from 'kysely'
import { Pool } from 'pg'
import { migrateToLatest, SqlUserStore } from 'passport-outofband/stores/sql'
import { userStoreContract } from '../../contract/user-store.js'
import { describeWith, sharedPostgres } from '../../support/services.js'

describeWith('postgres', 'PostgreSQL', () => {
  userStoreContract('SqlUserStore on PostgreSQL', async () => {
    const connectionString = await sharedPostgres()
    const handles = [1, 2].map(
      () => new Kysely<unknown>({ dialect: new PostgresDialect({ pool: new Pool({ connectionString, max: 10 }) }) }),
    )
    const tablePrefix = 'users_contract_'
    await migrateToLatest({ db: handles[0]!, tablePrefix })
    let opened = 0
    return {
      open: async () => {
        opened += 1
        return new SqlUserStore({ db: handles[opened % 2]!, tablePrefix })
      },
      empty: async () => {
        await sql`truncate users_contract_users`.execute(handles[0]!)
      },
      close: async () => {
        for (const handle of handles) await handle.destroy()
      },
    }
  })
})

import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import { migrateToLatest, sqliteDialect, SqlUserStore } from 'passport-outofband/stores/sql'
import { userStoreContract } from '../../contract/user-store.js'
import { makeTemporaryFolder, removeFolder } from '../../support/temporary.js'

userStoreContract('SqlUserStore on SQLite', async () => {
  const folder = makeTemporaryFolder()
  // Two handles, as two processes would have.
  const handles = [1, 2].map(
    () => new Kysely<unknown>({ dialect: sqliteDialect({ file: join(folder, 'app.db'), synchronous: 'normal' }) }),
  )
  await migrateToLatest({ db: handles[0]! })
  let opened = 0
  return {
    open: async () => {
      opened += 1
      return new SqlUserStore({ db: handles[opened % 2]! })
    },
    empty: async () => {
      await sql`delete from oob_users`.execute(handles[0]!)
    },
    close: async () => {
      for (const handle of handles) await handle.destroy()
      removeFolder(folder)
    },
  }
})

import { join } from 'node:path'
import { Kysely } from 'kysely'
import { migrateToLatest, sqliteDialect, SqlStateStore } from 'passport-outofband/stores/sql'
import { stateStoreContract } from '../../contract/state-store.js'
import { makeTemporaryFolder, removeFolder } from '../../support/temporary.js'

stateStoreContract('SqlStateStore on SQLite', async () => {
  const folder = makeTemporaryFolder()
  // Two handles, as two processes would have.
  const open = (): Kysely<unknown> =>
    new Kysely({ dialect: sqliteDialect({ file: join(folder, 'app.db'), synchronous: 'normal' }) })
  const handles = [open(), open()]
  await migrateToLatest({ db: handles[0]! })
  let opened = 0
  return {
    wakesOthers: false,
    open: async (runtime) => {
      opened += 1
      return new SqlStateStore({ db: handles[opened % 2]!, runtime })
    },
    close: async () => {
      for (const handle of handles) await handle.destroy()
      removeFolder(folder)
    },
  }
})

import { Kysely } from 'kysely'
import { sqliteDialect, SqlStateStore } from 'passport-outofband/stores/sql'
import { transferApp } from './transfer-app.js'

// One of several nodes that share an SQLite file. Tells its parent its URL. With DIES it ends between redeem and transfer, as by a power cut.
const { FILE = '', DIES = '' } = process.env

const app = await transferApp({
  state: new SqlStateStore({ db: new Kysely({ dialect: sqliteDialect({ file: FILE }) }) }),
  before: () => {
    if (DIES) process.kill(process.pid, 'SIGKILL')
  },
})
process.send?.(app.url)
process.on('disconnect', () => process.exit(0))

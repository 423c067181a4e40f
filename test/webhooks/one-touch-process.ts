import { Kysely } from 'kysely'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sqliteDialect, SqlStateStore } from 'passport-outofband/stores/sql'
import { oneTouchCallback } from 'passport-outofband/webhooks'

// One of several processes that receive callbacks and share an SQLite file. Tells its parent its port, then each event.
const { FILE = '', KEY = '', URL_OF_CALLBACK = '', SENT_AT = '0', DIES = '' } = process.env

const handler = oneTouchCallback({
  apiKey: KEY,
  callbackUrl: URL_OF_CALLBACK,
  state: new SqlStateStore({ db: new Kysely({ dialect: sqliteDialect({ file: FILE }) }) }),
  runtime: { now: () => Number(SENT_AT) * 1000 },
  onEvent: async (event) => {
    // Between verify and remember.
    if (DIES) process.kill(process.pid, 'SIGKILL')
    await new Promise((resolve) => process.send?.(event.id, resolve))
  },
})
const server = createServer(handler)
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))

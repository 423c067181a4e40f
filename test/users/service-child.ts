import express from 'express'
import { Kysely, PostgresDialect } from 'kysely'
import { migrateToLatest, sqliteDialect, SqlStateStore, SqlUserStore } from 'passport-outofband/stores/sql'
import { userService } from 'passport-outofband/users'
import { Pool } from 'pg'
import { listen } from '../support/listen.js'
import { SECRET } from './service.js'

// A user service in a process of its own, on an SQLite file or in a PostgreSQL, to be raced or killed. Prints its
// address, then every reset link and every code.

const [target = '', tablePrefix = ''] = process.argv.slice(2)
const dialect = target.startsWith('postgres')
  ? new PostgresDialect({ pool: new Pool({ connectionString: target }) })
  : sqliteDialect({ file: target })
const where = { db: new Kysely<unknown>({ dialect }), tablePrefix }
await migrateToLatest(where)
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const limit = { max: 100_000, windowSeconds: 60 }
const service = userService({
  store: new SqlUserStore(where),
  state: new SqlStateStore(where),
  keys: SECRET,
  senders: {
    mail: { send: async ({ variables }) => say(`reset ${variables['password_reset_url']}`) },
    sms: { name: 'said', send: async ({ text }) => (say(`code ${text.slice(-6)}`), { status: 'sent' }) },
  },
  reset: { origins: ['https://app.example.com'] },
  // So that a token can be refreshed while one waits.
  tokens: { accessSeconds: Number(process.env['ACCESS_SECONDS'] ?? 900) },
  limits: {
    registrationPerClient: limit,
    resetPerClient: limit,
    confirmPerClient: limit,
    login:
      process.env['LOGIN_LIMIT'] === undefined ? limit : { max: Number(process.env['LOGIN_LIMIT']), windowSeconds: 60 },
    loginPerClient: limit,
    phoneConfirmPerClient: limit,
    phoneConfirm: limit,
  },
  // Cheap on purpose: the tests are about writes.
  passwords: {
    hasher: {
      hash: async (text) => `plain:${text}`,
      verify: async (hash, text) => hash === `plain:${text}`,
      needsRehash: () => false,
    },
  },
})
const { url } = await listen(express().use('/api', service))
say(`listening ${url}/api`)

import express from 'express'
import { Kysely } from 'kysely'
import { migrateToLatest, sqliteDialect, SqlStateStore, SqlUserStore } from 'passport-outofband/stores/sql'
import { userService } from 'passport-outofband/users'
import { listen } from '../support/listen.js'
import { SECRET } from './service.js'

// A user service on an SQLite file, to be killed in the middle of its work. Prints its address, then every reset link.

const db = new Kysely<unknown>({ dialect: sqliteDialect({ file: process.argv[2] ?? '' }) })
await migrateToLatest({ db })
const limit = { max: 100_000, windowSeconds: 60 }
const service = userService({
  store: new SqlUserStore({ db }),
  state: new SqlStateStore({ db }),
  keys: SECRET,
  senders: {
    mail: { send: async ({ variables }) => void process.stdout.write(`reset ${variables['password_reset_url']}\n`) },
  },
  reset: { origins: ['https://app.example.com'] },
  limits: {
    registrationPerClient: limit,
    resetPerClient: limit,
    confirmPerClient: limit,
    login: limit,
    loginPerClient: limit,
  },
  // Cheap on purpose: the test is about writes.
  passwords: {
    hasher: {
      hash: async (text) => `plain:${text}`,
      verify: async (hash, text) => hash === `plain:${text}`,
      needsRehash: () => false,
    },
  },
})
const { url } = await listen(express().use('/api', service))
process.stdout.write(`listening ${url}/api\n`)

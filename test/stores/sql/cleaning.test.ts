import { Kysely, sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { migrateToLatest, sqliteDialect, SqlStateStore } from 'passport-outofband/stores/sql'
import { testRuntime } from '../../support/test-runtime.js'

test('expired rows are deleted, in bounded batches, as others are written [SC 100]', async () => {
  const db = new Kysely<unknown>({ dialect: sqliteDialect({ file: ':memory:' }) })
  onTestFinished(() => db.destroy())
  await migrateToLatest({ db })
  const { runtime, clock } = testRuntime()
  const store = new SqlStateStore({ db, runtime })
  const rows = async (): Promise<number> => {
    const counted = await sql<{ n: number }>`select count(*) as n from oob_state`.execute(db)
    return counted.rows[0]!.n
  }
  for (let n = 0; n < 1_200; n += 1) await store.put(`k${n}`, n, { ttlMs: 1_000 })
  await store.put('living', 1, { ttlMs: 60_000 })
  expect(await rows()).toBe(1_201)
  clock.set(clock.now() + 1_000)
  expect(await store.clean()).toBe(500)
  expect(await rows()).toBe(701)
  for (let n = 0; n < 600; n += 1) await store.increment(`c${n}`, { windowMs: 60_000 })
  expect(await rows()).toBe(1)
  expect(await store.get('living')).toMatchObject({ value: 1 })
})

test('a store without tables says how to make them', async () => {
  const db = new Kysely<unknown>({ dialect: sqliteDialect({ file: ':memory:' }) })
  onTestFinished(() => db.destroy())
  const store = new SqlStateStore({ db })
  await expect(store.get('k')).rejects.toThrow('run migrateToLatest({ db })')
})

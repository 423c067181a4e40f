import { join } from 'node:path'
import { Kysely } from 'kysely'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { sqliteDialect, SqlStateStore } from 'passport-outofband/stores/sql'
import { storeProcessesContract } from '../../contract/state-store-processes.js'
import { storeProcess } from '../../support/store-process.js'
import { openStore, type StorePlace } from '../../support/store-process/open.js'
import { makeTemporaryFolder, removeFolder, temporaryFolder } from '../../support/temporary.js'

const folders: string[] = []
afterAll(() => folders.forEach(removeFolder))

storeProcessesContract('SqlStateStore on SQLite', {
  place: async (): Promise<StorePlace> => {
    const folder = makeTemporaryFolder()
    folders.push(folder)
    return { kind: 'sqlite', at: join(folder, 'app.db') }
  },
  wakesOthers: false,
})

test('after one SQLITE_BUSY the next acknowledged write of the process survives its kill -9', async () => {
  const file = join(temporaryFolder(), 'app.db')
  const other = await storeProcess({ kind: 'sqlite', at: file, busyTimeoutMs: 200 })
  onTestFinished(() => other.kill())
  const holder = new Kysely<unknown>({ dialect: sqliteDialect({ file }) })
  const trx = await holder.startTransaction().execute()
  await expect(other.run({ do: 'put', key: 'during', value: 'x' })).rejects.toThrow('StoreUnavailableError')
  await trx.rollback().execute()
  expect(await other.run({ do: 'put', key: 'after', value: 'acknowledged' })).toBe('written')
  await other.kill()
  const store = new SqlStateStore({ db: holder })
  expect(await store.get('after')).toMatchObject({ value: 'acknowledged' })
  expect(await store.get('during')).toBeUndefined()
  await holder.destroy()
})

test('counters are there after a restart [SC 98]', async () => {
  const file = join(temporaryFolder(), 'app.db')
  for (let start = 1; start <= 3; start += 1) {
    const { store, close } = await openStore({ kind: 'sqlite', at: file })
    expect(await store.increment('attempts', { windowMs: 3_600_000 })).toMatchObject({ count: start })
    await close()
  }
})

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely, sql, type Generated } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { migrateToLatest, sqliteDialect, type SqliteDialectOptions } from 'passport-outofband/stores/sql'
import { temporaryFolder } from '../../support/temporary.js'

interface Tables {
  readonly notes: { readonly id: Generated<number>; readonly text: string; readonly done: number }
}

function open(file: string, options: Partial<SqliteDialectOptions> = {}): Kysely<Tables> {
  const db = new Kysely<Tables>({ dialect: sqliteDialect({ file, ...options }) })
  onTestFinished(() => db.destroy())
  return db
}

async function withNotes(file = join(temporaryFolder(), 'app.db')): Promise<Kysely<Tables>> {
  const db = open(file)
  await sql`create table notes (id integer primary key, text text not null, done integer not null default 0)`.execute(
    db,
  )
  return db
}

test('queries, inserts, updates and deletes as Kysely wants it', async () => {
  const db = await withNotes()
  const inserted = await db.insertInto('notes').values({ text: 'a', done: 0 }).executeTakeFirstOrThrow()
  expect(inserted).toMatchObject({ insertId: 1n, numInsertedOrUpdatedRows: 1n })
  const { id } = await db.insertInto('notes').values({ text: 'b', done: 1 }).returning('id').executeTakeFirstOrThrow()
  expect(id).toBe(2)
  expect(await db.updateTable('notes').set({ done: 1 }).executeTakeFirst()).toEqual({ numUpdatedRows: 2n })
  expect(await db.deleteFrom('notes').where('id', '=', 9).executeTakeFirst()).toEqual({ numDeletedRows: 0n })
  expect(await db.selectFrom('notes').select(['id', 'text']).orderBy('id').execute()).toMatchObject([
    { id: 1, text: 'a' },
    { id: 2, text: 'b' },
  ])
  const streamed: string[] = []
  for await (const row of db.selectFrom('notes').select('text').orderBy('id').stream()) streamed.push(row.text)
  expect(streamed).toEqual(['a', 'b'])
})

test('a transaction that fails leaves nothing, and other work waits for its end', async () => {
  const db = await withNotes()
  const failing = db.transaction().execute(async (trx) => {
    await trx.insertInto('notes').values({ text: 'never', done: 0 }).execute()
    throw new Error('changed my mind')
  })
  const other = db.insertInto('notes').values({ text: 'kept', done: 0 }).execute()
  await expect(failing).rejects.toThrow('changed my mind')
  await other
  expect(await db.selectFrom('notes').select('text').execute()).toMatchObject([{ text: 'kept' }])
})

test('savepoints of a controlled transaction work', async () => {
  const db = await withNotes()
  const trx = await db.startTransaction().execute()
  await trx.insertInto('notes').values({ text: 'one', done: 0 }).execute()
  const inner = await trx.savepoint('here').execute()
  await inner.insertInto('notes').values({ text: 'two', done: 0 }).execute()
  await inner.rollbackToSavepoint('here').execute()
  await trx.commit().execute()
  expect(await db.selectFrom('notes').select('text').execute()).toMatchObject([{ text: 'one' }])
})

test('writes of 50 transactions that read before they write are all kept', async () => {
  const file = join(temporaryFolder(), 'app.db')
  const first = await withNotes(file)
  const second = open(file)
  await first.insertInto('notes').values({ text: 'count', done: 0 }).execute()
  await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      (n % 2 === 0 ? first : second).transaction().execute(async (trx) => {
        const { done } = await trx.selectFrom('notes').select('done').executeTakeFirstOrThrow()
        await trx
          .updateTable('notes')
          .set({ done: done + 1 })
          .execute()
      }),
    ),
  )
  expect(await second.selectFrom('notes').select('done').executeTakeFirst()).toMatchObject({ done: 50 })
})

test('a statement that finds the database locked waits without stopping the process, then fails', async () => {
  const file = join(temporaryFolder(), 'app.db')
  const holder = await withNotes(file)
  const waiter = open(file, { busyTimeoutMs: 100 })
  const trx = await holder.startTransaction().execute()
  await trx.insertInto('notes').values({ text: 'held', done: 0 }).execute()
  const write = waiter.insertInto('notes').values({ text: 'waited', done: 0 }).execute()
  let turns = 0
  const counting = setInterval(() => (turns += 1), 1)
  await expect(write).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
  clearInterval(counting)
  expect(turns).toBeGreaterThan(5)
  await trx.commit().execute()
  await waiter.insertInto('notes').values({ text: 'after', done: 0 }).execute()
  expect(await holder.selectFrom('notes').select('text').execute()).toMatchObject([{ text: 'held' }, { text: 'after' }])
})

test('a statement does not wait for ever for a transaction of its own process', async () => {
  const db = open(':memory:', { busyTimeoutMs: 50 })
  const trx = await db.startTransaction().execute()
  await expect(sql`select 1`.execute(db)).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
  await trx.rollback().execute()
  await sql`select 1`.execute(db)
})

test('a write after a forgotten raw `begin` is not swallowed by it', async () => {
  const file = join(temporaryFolder(), 'app.db')
  const db = await withNotes(file)
  await sql`begin`.execute(db)
  await db.insertInto('notes').values({ text: 'acknowledged', done: 0 }).execute()
  await db.destroy()
  expect(await open(file).selectFrom('notes').select('text').execute()).toMatchObject([{ text: 'acknowledged' }])
})

test('the file is for its owner only', async () => {
  const file = join(temporaryFolder(), 'app.db')
  await withNotes(file)
  expect(statSync(file).mode & 0o077).toBe(0)
})

test('a hostile value stays a value [SC 99]', async () => {
  const db = await withNotes()
  const text = `'); drop table notes; -- " \\ %_ 𝟙`
  await db.insertInto('notes').values({ text, done: 0 }).execute()
  expect(await db.selectFrom('notes').select('text').where('text', '=', text).execute()).toMatchObject([{ text }])
  await expect(db.insertInto('notes').values({ text: 'admin\0x', done: 0 }).execute()).rejects.toThrow('NUL')
})

test('migrations run once, also when two handles run them at the same time', async () => {
  const file = join(temporaryFolder(), 'app.db')
  const [first, second] = [open(file), open(file)]
  const applied = await Promise.all([migrateToLatest({ db: first }), migrateToLatest({ db: second })])
  expect(applied.flat().sort()).toEqual([...new Set(applied.flat())].sort())
  expect(applied.flat()).toContain('0001_state')
  expect(await migrateToLatest({ db: first })).toEqual([])
})

test.each(['', 'Oob_', '1oob_', 'oob-', 'oob_; drop table notes; --', 'oob_"', 'o'.repeat(31)])(
  'the table prefix %j is refused [SC 99]',
  async (tablePrefix) => {
    const db = open(':memory:')
    await expect(migrateToLatest({ db, tablePrefix })).rejects.toMatchObject({ option: 'tablePrefix' })
  },
)

test('a wrong option is named', () => {
  const misspelt: object = { fil: 'x' }
  expect(() => sqliteDialect(misspelt as SqliteDialectOptions)).toThrow("'fil")
  expect(() => sqliteDialect({ file: '' })).toThrow("'file'")
})

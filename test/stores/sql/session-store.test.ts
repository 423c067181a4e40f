import { join } from 'node:path'
import express from 'express'
import session, { type SessionOptions } from 'express-session'
import { Kysely, sql } from 'kysely'
import request from 'supertest'
import { expect, onTestFinished, test } from 'vitest'
import { migrateToLatest, sqliteDialect, SqlSessionStore, type StoredSession } from 'passport-outofband/stores/sql'
import { temporaryFolder } from '../../support/temporary.js'
import { testRuntime, type TestClock } from '../../support/test-runtime.js'

declare module 'express-session' {
  interface SessionData {
    views?: number
  }
}

interface Setup {
  readonly store: SqlSessionStore
  readonly db: Kysely<unknown>
  readonly clock: TestClock
}

async function setup(ttlMs?: number): Promise<Setup> {
  const db = new Kysely<unknown>({ dialect: sqliteDialect({ file: join(temporaryFolder(), 'app.db') }) })
  onTestFinished(() => db.destroy())
  await migrateToLatest({ db })
  const { runtime, clock } = testRuntime(Date.now())
  return { store: new SqlSessionStore({ db, runtime, ttlMs }), db, clock }
}

function app(store: SqlSessionStore, options: Partial<SessionOptions> = {}): express.Express {
  const site = express()
  site.use(session({ store, secret: 'test', resave: false, saveUninitialized: false, ...options }))
  site.get('/', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    res.json({ views: req.session.views })
  })
  site.get('/read', (req, res) => res.json({ views: req.session.views ?? 0 }))
  site.get('/regenerate', (req, res, next) => req.session.regenerate((error) => (error ? next(error) : res.end())))
  site.get('/sign-out', (req, res, next) => req.session.destroy((error) => (error ? next(error) : res.end())))
  return site
}

const cookie = (end?: number): { expires: Date | null; originalMaxAge: null } => ({
  expires: end === undefined ? null : new Date(end),
  originalMaxAge: null,
})

function call<T>(act: (callback: (error: unknown, value?: T) => void) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    act((error, value) => (error ? reject(new Error('failed', { cause: error })) : resolve(value)))
  })
}

const cookiesOf = (response: request.Response): string[] => [response.headers['set-cookie'] ?? []].flat()

const get = (store: SqlSessionStore, sid: string): Promise<StoredSession | null | undefined> =>
  call((done) => store.get(sid, done))

test('keeps a browser’s session over requests, regeneration and sign-out', async () => {
  const { store } = await setup()
  const browser = request.agent(app(store))
  await browser.get('/').expect({ views: 1 })
  await browser.get('/').expect({ views: 2 })
  await browser.get('/regenerate')
  await browser.get('/').expect({ views: 1 })
  await browser.get('/sign-out')
  await browser.get('/read').expect({ views: 0 })
})

test('the session is there for the next request once the answer came, also through another process’ handle [SC 76]', async () => {
  const { store, db } = await setup()
  const first = await request(app(store)).get('/')
  const other = app(new SqlSessionStore({ db }))
  for (let n = 2; n < 12; n += 1) {
    await request(n % 2 === 0 ? other : app(store))
      .get('/')
      .set('Cookie', cookiesOf(first))
      .expect({ views: n })
  }
})

test('a request that began before the sign-out does not bring the session back', async () => {
  const { store } = await setup()
  await call((done) => store.set('s', { cookie: cookie() }, done))
  const slow = (await get(store, 's'))!
  await call((done) => store.destroy('s', done))
  await call((done) => store.set('s', slow, done))
  await call((done) => store.touch('s', slow, done))
  expect(await get(store, 's')).toBeNull()
})

test('a session ends with its cookie, or after its time to live, also if nothing cleaned up [SC 97]', async () => {
  const { store, clock } = await setup(10_000)
  await call((done) => store.set('with end', { cookie: cookie(clock.now() + 5_000) }, done))
  await call((done) => store.set('without', { cookie: cookie() }, done))
  clock.set(clock.now() + 4_999)
  expect(await get(store, 'with end')).toMatchObject({ cookie: {} })
  clock.set(clock.now() + 1)
  expect(await get(store, 'with end')).toBeNull()
  clock.set(clock.now() + 4_999)
  expect(await get(store, 'without')).toMatchObject({ cookie: {} })
  clock.set(clock.now() + 1)
  expect(await get(store, 'without')).toBeNull()
})

test('touch moves the end of a living session, and only when that is worth a write', async () => {
  const { store, db, clock } = await setup()
  const hour = 3_600_000
  const start = clock.now()
  const endOf = async (): Promise<unknown> =>
    (await sql<{ expires_at: number }>`select expires_at from oob_sessions`.execute(db)).rows[0]?.expires_at
  await call((done) => store.set('s', { cookie: cookie(start + hour) }, done))
  await call((done) => store.touch('s', { cookie: cookie(start + hour + 30_000) }, done))
  expect(await endOf()).toBe(start + hour)
  await call((done) => store.touch('s', { cookie: cookie(start + 2 * hour) }, done))
  expect(await endOf()).toBe(start + 2 * hour)
  clock.set(start + 2 * hour)
  await call((done) => store.touch('s', { cookie: cookie(start + 9 * hour) }, done))
  expect(await get(store, 's')).toBeNull()
})

test('a session whose cookie has ended is not kept', async () => {
  const { store, clock } = await setup()
  await call((done) => store.set('s', { cookie: cookie(clock.now() + 1_000) }, done))
  await call((done) => store.set('s', { cookie: cookie(clock.now()) }, done))
  expect(await get(store, 's')).toBeNull()
})

test('the database holds no session id', async () => {
  const { store, db } = await setup()
  await call((done) => store.set('very-secret-id', { cookie: cookie() }, done))
  const { rows } = await sql`select * from oob_sessions`.execute(db)
  expect(rows).toHaveLength(1)
  expect(JSON.stringify(rows)).not.toContain('very-secret-id')
})

test('ended sessions are deleted as others are written [SC 100]', async () => {
  const { store, db, clock } = await setup(1_000)
  const rows = async (): Promise<number> => (await sql`select id from oob_sessions`.execute(db)).rows.length
  for (let n = 0; n < 249; n += 1) await call((done) => store.set(`s${n}`, { cookie: cookie() }, done))
  clock.set(clock.now() + 1_000)
  expect(await rows()).toBe(249)
  await call((done) => store.set('living', { cookie: cookie() }, done))
  expect(await rows()).toBe(1)
})

test('a database that can’t answer fails the request, and the process goes on', async () => {
  const { store, db } = await setup()
  const site = app(store)
  site.use((error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
    res.status(503).json({ code: (error as { code: unknown }).code })
  })
  const first = await request(site).get('/')
  await db.destroy()
  const response = await request(site).get('/').set('Cookie', cookiesOf(first))
  expect(response.status).toBe(503)
  expect(response.body).toEqual({ code: 'ERR_STORE_UNAVAILABLE' })
})

test('a session that is too large is refused', async () => {
  const { store } = await setup()
  const huge = { cookie: cookie(), blob: 'x'.repeat(1_100_000) }
  await expect(call((done) => store.set('s', huge, done))).rejects.toMatchObject({ cause: { code: 'ERR_INPUT' } })
})

test('load gives a session object for an id', async () => {
  const { store } = await setup()
  const site = app(store)
  const first = await request(site).get('/')
  const sid = decodeURIComponent(/connect\.sid=s%3A([^.]+)\./.exec(cookiesOf(first)[0] ?? '')?.[1] ?? '')
  expect(await call((done) => store.load(sid, done))).toMatchObject({ views: 1 })
  expect(await call((done) => store.load('other', done))).toBeUndefined()
})

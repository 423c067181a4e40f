import { join } from 'node:path'
import { Kysely } from 'kysely'
import { migrateToLatest, sqliteDialect, SqlStateStore } from 'passport-outofband/stores/sql'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../support/temporary.js'
import { startService, tokenOf, type Reply, type TestService } from './service.js'

const BLACKLISTED = { status: 403, body: { code: 'BlacklistedError' } }

function later(app: TestService, seconds: number): void {
  app.clock.set(app.clock.now() + seconds * 1000)
}

function refresh(app: TestService, token: string): Promise<Reply> {
  return app.call('POST', '/auth/refresh/', { token })
}

test.each(['memory', 'SQLite'])(
  'a hundred refreshes of one token at once leave one family, on %s [SC 64, 65]',
  async (kind) => {
    const app = await startService()
    let extra = {}
    if (kind === 'SQLite') {
      const db = new Kysely<unknown>({
        dialect: sqliteDialect({ file: join(temporaryFolder(), 'a.db'), synchronous: 'normal' }),
      })
      onTestFinished(() => db.destroy())
      await migrateToLatest({ db })
      extra = { state: new SqlStateStore({ db, runtime: { now: () => app.clock.now() } }) }
    }
    const under = await startService({ ...extra, runtime: { now: () => app.clock.now() } })
    const { token } = await under.register('alice')
    later(app, 901)
    const replies = await Promise.all(Array.from({ length: 100 }, () => refresh(under, token)))
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 200))
    const tokens = new Set(replies.map(tokenOf))
    expect(tokens.size).toBe(1)
    const [next = ''] = tokens
    expect(await under.call('GET', '/user/current/', { token: next })).toMatchObject({ status: 200 })
    later(app, 31)
    expect(await refresh(under, token)).toMatchObject(BLACKLISTED)
    expect(await under.call('GET', '/user/current/', { token: next })).toMatchObject(BLACKLISTED)
    expect(under.events.map(({ type }) => type)).toContain('refresh.replayed')
  },
)

test('the grace is for the token before the newest only [SC 65]', async () => {
  const app = await startService()
  const { token: first } = await app.register('alice')
  later(app, 901)
  const second = tokenOf(await refresh(app, first))
  later(app, 901)
  const third = tokenOf(await refresh(app, second))
  later(app, 5)
  expect(await refresh(app, second)).toMatchObject({ status: 200, body: { access_token: third } })
  expect(await refresh(app, first)).toMatchObject(BLACKLISTED)
  expect(await app.call('GET', '/user/current/', { token: third })).toMatchObject(BLACKLISTED)
})

test('a refresh that races a logout never brings the session back [SC 64, 66]', async () => {
  const app = await startService({ limits: { registrationPerClient: { max: 100, windowSeconds: 60 } } })
  for (let round = 0; round < 10; round += 1) {
    const { token } = await app.register(`user-${round}`)
    later(app, 901)
    const replies = await Promise.all([
      ...Array.from({ length: 5 }, () => refresh(app, token)),
      app.call('POST', '/auth/logout/', { token }),
      ...Array.from({ length: 5 }, () => refresh(app, token)),
    ])
    expect(replies[5]).toMatchObject({ status: 204 })
    for (const { body } of replies) {
      const next: unknown = body['access_token']
      if (typeof next !== 'string') continue
      expect(await app.call('GET', '/user/current/', { token: next })).toMatchObject(BLACKLISTED)
    }
    expect(await refresh(app, token)).toMatchObject(BLACKLISTED)
  }
})

test('a logout works with a token that is only good for a refresh, and once', async () => {
  const app = await startService()
  const { token } = await app.register('alice')
  later(app, 901)
  expect(await app.call('POST', '/auth/logout/', { token })).toMatchObject({ status: 204, text: '' })
  expect(await app.call('POST', '/auth/logout/', { token })).toMatchObject(BLACKLISTED)
  expect(await refresh(app, token)).toMatchObject(BLACKLISTED)
})

test('a session ends 30 days after its login, however often it is refreshed, and no token outlives it [SC 67]', async () => {
  const app = await startService()
  let { token } = await app.register('alice')
  for (let day = 0; day < 29; day += 1) {
    later(app, 86_400)
    token = tokenOf(await refresh(app, token))
  }
  later(app, 86_400 - 300)
  const last: string = tokenOf(await refresh(app, token))
  const { exp, rf_exp } = JSON.parse(Buffer.from(last.split('.')[1]!, 'base64url').toString()) as Record<
    string,
    unknown
  >
  expect(exp).toBe(rf_exp)
  later(app, 301)
  expect(await app.call('POST', '/auth/logout/', { token: last })).toMatchObject({
    status: 401,
    body: { code: 'ExpiredAccessError' },
  })
  expect(await refresh(app, last)).toMatchObject({ status: 401, body: { code: 'ExpiredRefreshError' } })
  expect(await app.call('GET', '/user/current/', { token: last })).toMatchObject({ status: 401 })
})

test('a session that nobody refreshes ends at the idle limit [SC 67]', async () => {
  const app = await startService({ tokens: { idleSeconds: 3600 } })
  const { token } = await app.register('alice')
  later(app, 3601)
  expect(await refresh(app, token)).toMatchObject({ status: 401, body: { code: 'ExpiredRefreshError' } })
})

test('one sees the own sessions and ends one of them, and never those of others', async () => {
  const app = await startService()
  const { token, email } = await app.register('alice')
  const other = tokenOf(await app.login(email))
  const bob = await app.register('bob')
  const list = await app.call('GET', '/auth/sessions/', { token })
  expect(list.body).toMatchObject([{ current: true }, { current: false }])
  const id: string = (list.body as unknown as { id: string }[])[1]!.id
  expect(await app.call('DELETE', `/auth/sessions/${id}/`, { token: bob.token })).toMatchObject({ status: 204 })
  expect(await app.call('GET', '/user/current/', { token: other })).toMatchObject({ status: 200 })
  expect(await app.call('DELETE', `/auth/sessions/${id}/`, { token })).toMatchObject({ status: 204 })
  expect(await app.call('GET', '/user/current/', { token: other })).toMatchObject(BLACKLISTED)
  expect(await app.call('DELETE', `/user/${bob.id}/sessions/`, { token })).toMatchObject({ status: 403 })
})

test('a user holds at most fifty sessions: the oldest goes [SC 100]', async () => {
  const app = await startService()
  const { token, id } = await app.register('alice')
  for (let count = 0; count < 50; count += 1) await app.service.tokens.issue(id)
  expect(await app.call('GET', '/user/current/', { token })).toMatchObject(BLACKLISTED)
})

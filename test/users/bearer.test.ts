import express from 'express'
import express4 from 'express4'
import { Passport } from 'passport'
import { BearerStrategy } from 'passport-outofband/strategies'
import { MemoryStateStore, MemoryUserStore } from 'passport-outofband/stores'
import { provisionUsers, requireRole, userService, type PublicUser } from 'passport-outofband/users'
import { StoreUnavailableError } from 'passport-outofband'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listen } from '../support/listen.js'
import { PASSWORD_2, SECRET, send, startService } from './service.js'

describe('BearerStrategy', () => {
  test('lets the holder of a good token in, and nobody else', async () => {
    const app = await startService()
    const passport = new Passport()
    passport.use(new BearerStrategy<PublicUser>({ verifyToken: app.service.tokens.verify }))
    const guard = passport.authenticate('bearer', { session: false })
    const server = await listen(
      express().get('/me', guard as express.RequestHandler, (req, res) => void res.json(req.user)),
    )
    onTestFinished(() => server.close())
    const { token, email } = await app.register('alice')
    const me = await send(`${server.url}/me`, 'GET', { token })
    expect(me).toMatchObject({ status: 200, body: { email } })
    expect(me.text).not.toMatch(/passwordHash|argon2/)
    for (const headers of [
      {},
      { authorization: 'Basic YTpi' },
      { authorization: 'Bearer ' },
      { authorization: `Bearer ${'x'.repeat(9000)}` },
    ]) {
      const reply = await send(`${server.url}/me`, 'GET', { headers })
      expect([reply.status, reply.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="users"'])
    }
    expect((await send(`${server.url}/me?access_token=${token}`, 'GET')).status).toBe(401)
    expect((await send(`${server.url}/me`, 'GET', { token: 'a.b.c' })).headers.get('www-authenticate')).toContain(
      'invalid_token',
    )
    await app.call('POST', '/auth/logout/', { token })
    expect(await send(`${server.url}/me`, 'GET', { token })).toMatchObject({ status: 403 })
  })

  test('hands an outage to the error handler', async () => {
    const passport = new Passport()
    passport.use(new BearerStrategy({ verifyToken: () => Promise.reject(new StoreUnavailableError('gone')) }))
    const app = express().get('/', passport.authenticate('bearer', { session: false }) as express.RequestHandler)
    app.use(((error: Error, _req, res, _next) => void res.status(503).send(error.name)) as express.ErrorRequestHandler)
    const server = await listen(app)
    onTestFinished(() => server.close())
    expect(await send(server.url, 'GET', { token: 'x' })).toMatchObject({ status: 503, text: 'StoreUnavailableError' })
  })
})

test('requireRole reads the role from the store at this moment', async () => {
  const app = await startService()
  const guard = requireRole({ verifyToken: app.service.tokens.verify, anyOf: ['editor', 'admin'] })
  const server = await listen(express().get('/', guard, (req, res) => void res.json(req.user)))
  onTestFinished(() => server.close())
  const { token, id } = await app.register('alice')
  const refused = {
    status: 403,
    body: {
      code: 'MissingRoleError',
      description: "This endpoint requires one of the following roles: ['editor', 'admin']",
    },
  }
  expect(await send(server.url, 'GET', { token })).toMatchObject(refused)
  await app.store.update(id, { roles: ['editor'] }, { at: 0 })
  expect(await send(server.url, 'GET', { token })).toMatchObject({ status: 200, body: { id } })
  expect(await send(server.url, 'GET')).toMatchObject({ status: 401 })
  expect(await send(server.url, 'GET', { token: 'x' })).toMatchObject({
    status: 401,
    body: { code: 'InvalidTokenHeader' },
  })
})

describe('mounting', () => {
  test.each([
    ['Express 4', express4],
    ['Express 5', express],
  ] as const)('works under %s, behind a body parser of the host, at any path', async (_name, make) => {
    const service = userService({ store: new MemoryUserStore(), state: new MemoryStateStore(), keys: SECRET })
    const server = await listen(
      make()
        .use(make.json())
        .use('/deep/er/api', service)
        .get('/other', (_req, res) => void res.send('host')),
    )
    onTestFinished(() => server.close())
    const body = { email: 'a@example.com', password: PASSWORD_2 }
    expect(await send(`${server.url}/deep/er/api/user`, 'POST', { body })).toMatchObject({ status: 201 })
    expect(await send(`${server.url}/deep/er/api/user/`, 'POST', { body: { email: 1 } })).toMatchObject({ status: 400 })
    expect(await send(`${server.url}/deep/er/api/nope`, 'GET')).toMatchObject({
      status: 404,
      body: { title: 'Not Found' },
    })
    expect(await send(`${server.url}/other`, 'GET')).toMatchObject({ status: 200, text: 'host' })
    expect(await send(`${server.url}/deep/er/api/verification/phone/`, 'POST', { body })).toMatchObject({ status: 404 })
  })

  test('a misspelt option is refused with its name', () => {
    const options = { store: new MemoryUserStore(), state: new MemoryStateStore(), keys: SECRET, proxydepth: 1 }
    expect(() => userService(options)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option: 'proxydepth' }))
  })
})

describe('provisioning', () => {
  const account = { email: 'root@example.com', roles: ['admin'] }

  test('makes an account once and never touches it again', async () => {
    const store = new MemoryUserStore()
    const [first] = await provisionUsers({ store, accounts: [{ ...account, password: PASSWORD_2 }] })
    expect(first).toMatchObject({ created: true, userId: 1 })
    const before = await store.findById(1)
    expect(await provisionUsers({ store, accounts: [{ ...account, password: `${PASSWORD_2} other` }] })).toMatchObject([
      { created: false, userId: 1 },
    ])
    expect(await store.findById(1)).toEqual(before)
  })

  test('gives a token to set the password with, where none is given', async () => {
    const app = await startService()
    const [made] = await provisionUsers({ store: app.store, state: app.state, accounts: [account] })
    const body = { token: made?.setUpToken, new_password: PASSWORD_2 }
    expect(await app.call('POST', '/password/reset/confirm/', { body })).toMatchObject({ status: 200 })
    expect(await app.login(account.email, PASSWORD_2)).toMatchObject({ status: 200, body: { roles: ['admin'] } })
    expect(await app.call('POST', '/password/reset/confirm/', { body })).toMatchObject({ status: 400 })
  })

  test.each(['password', 'short', 'passwordpassword', 'root@example.com'])(
    'refuses the password %j without repeating it',
    async (password) => {
      const store = new MemoryUserStore()
      const error = await provisionUsers({ store, accounts: [{ ...account, password }] }).catch(
        (caught: unknown) => caught,
      )
      expect(error).toMatchObject({ code: 'ERR_OPTION', option: 'accounts.0.password' })
      expect(await store.list({ afterId: 0, limit: 10 })).toHaveLength(0)
    },
  )
})

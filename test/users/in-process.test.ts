import express from 'express'
import session from 'express-session'
import { Passport } from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import { ConfigurationError, InvalidOptionError } from 'passport-outofband'
import { requireRole, type Outcome, type PublicUser } from 'passport-outofband/users'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listen } from '../support/listen.js'
import { ADMIN_PASSWORD, PASSWORD, PASSWORD_2, send, startService, type TestService } from './service.js'

const proxied = { proxyDepth: 1 }

// What the forms of the tests hold; some of them lie.
interface Form {
  readonly email: string
  readonly password: string
  readonly token: string
  readonly sessionKey: string
  readonly currentPassword: string
  readonly newPassword: string
  readonly phone: string
  readonly code: string
}

/** Pages around the service, each of which tells what came of its call. */
async function startPages(app: TestService) {
  const { accounts } = app.service
  const pages = express().use(express.json({ limit: '1mb' }))
  const page = (path: string, run: (req: express.Request, res: express.Response) => Promise<unknown>): void => {
    pages.post(path, (req, res, next) => void run(req, res).then((outcome) => res.json(outcome), next))
  }
  page('/password', (req, res) => accounts.verifyPassword({ req, res, ...(req.body as Form) }))
  page('/register', (req, res) => accounts.register({ req, res, ...(req.body as Form) }))
  page('/forgot', (req) =>
    accounts.requestReset({ req, urlTemplate: 'https://app.example.com/r/{token}', ...(req.body as Form) }),
  )
  page('/reset', (req) => accounts.confirmReset({ req, ...(req.body as Form) }))
  page('/change', (req) => accounts.changePassword({ req, ...(req.body as Form) }))
  page('/phone', (req) => accounts.sendPhoneCode({ req, ...(req.body as Form) }))
  page('/phone/confirm', (req) => accounts.confirmPhone({ req, ...(req.body as Form) }))
  const server = await listen(pages)
  onTestFinished(() => server.close())
  return async (path: string, body: object, headers: Record<string, string> = {}) => {
    const reply = await send(server.url + path, 'POST', { body, headers })
    return { reply, outcome: reply.body }
  }
}

async function userOf(promise: Promise<Outcome<{ readonly user: PublicUser }>>): Promise<PublicUser> {
  const outcome = await promise
  if (!outcome.ok) throw new Error(outcome.code)
  return outcome.user
}

describe('a page that checks a password', () => {
  test('gets the user without the hash, and a mark for the device', async () => {
    const app = await startService()
    const pages = await startPages(app)
    const { email, id } = await app.register('alice')
    const { reply, outcome } = await pages('/password', { email, password: PASSWORD })
    expect(outcome).toMatchObject({ ok: true, user: { id, email, isActive: true, sessionKey: `${id}.0` } })
    expect(reply.text).not.toMatch(/argon2|passwordHash/)
    expect(reply.headers.get('set-cookie')).toMatch(/^__Host-outofband-device=/)
    expect(app.events.at(-1)).toMatchObject({ type: 'login', userId: id, reason: 'application' })
  })

  test('is told the same for an unknown address as for a wrong password, and shares the limits with the routes [SC 17, 71]', async () => {
    const app = await startService()
    const pages = await startPages(app)
    const { email } = await app.register('alice')
    for (const address of [email, 'nobody@example.com']) {
      for (let count = 0; count < 5; count += 1) {
        await app.login(address, 'wrong')
        const { outcome } = await pages('/password', { email: address, password: 'wrong' })
        expect(outcome).toMatchObject({ ok: false, status: 401, code: 'AuthFailure' })
      }
      const { outcome } = await pages('/password', { email: address, password: PASSWORD })
      expect(outcome).toMatchObject({ ok: false, status: 429, code: 'TooManyRequests', retryAfterSeconds: 900 })
      expect(await app.login(address)).toMatchObject({ status: 429 })
    }
  })

  test('lets in a device that signed in before, whatever strangers try [SC 18]', async () => {
    const app = await startService(proxied)
    const pages = await startPages(app)
    const { email } = await app.register('alice')
    const login = { email, password: PASSWORD }
    const { reply } = await pages('/password', login, { 'x-forwarded-for': '192.0.2.1' })
    const cookie = reply.headers.get('set-cookie')?.split(';')[0] ?? ''
    const stranger = { 'x-forwarded-for': '203.0.113.66' }
    for (let count = 0; count < 11; count += 1) await pages('/password', { email, password: 'wrong' }, stranger)
    expect((await pages('/password', login, { 'x-forwarded-for': '192.0.2.2' })).outcome).toMatchObject({ status: 429 })
    const known = await pages('/password', login, { 'x-forwarded-for': '192.0.2.2', cookie })
    expect(known.outcome).toMatchObject({ ok: true })
  })

  test('refuses the deactivated, after the right password only', async () => {
    const app = await startService()
    const pages = await startPages(app)
    const { email, id } = await app.register('alice')
    const admin = await app.admin()
    await app.service.accounts.setActive({ actorId: admin.id, userId: id, isActive: false })
    expect((await pages('/password', { email, password: 'wrong' })).outcome).toMatchObject({ code: 'AuthFailure' })
    const { outcome } = await pages('/password', { email, password: PASSWORD })
    expect(outcome).toMatchObject({ ok: false, status: 403, code: 'InvalidUserError' })
  })

  test('refuses what is no text, too long, or no address, like a body', async () => {
    const app = await startService()
    const pages = await startPages(app)
    const { email } = await app.register('alice')
    for (const password of [[PASSWORD], { a: 1 }, null, 1, true, undefined]) {
      expect((await pages('/password', { email, password })).outcome).toMatchObject({ ok: false, status: 400 })
    }
    for (const address of [[email], { $ne: null }, null, 'no address'])
      expect((await pages('/password', { email: address, password: PASSWORD })).outcome).toMatchObject({ status: 400 })
    const long = await pages('/password', { email, password: 'x'.repeat(70_000) })
    expect(long.outcome).toMatchObject({ ok: false, status: 413 })
    expect((await pages('/password', { email: 'a\0@b', password: 'x' })).outcome).toMatchObject({ code: 'AuthFailure' })
  })
})

describe('a page that registers people', () => {
  test('takes the named members and no others, and is told of a taken address and of a weak password', async () => {
    const app = await startService()
    const pages = await startPages(app)
    const person = { email: 'Ada@example.com', password: PASSWORD, firstName: 'Ada', roles: ['admin'], isActive: false }
    const { outcome, reply } = await pages('/register', person)
    expect(outcome).toMatchObject({ ok: true, user: { email: 'Ada@example.com', roles: [], isActive: true } })
    expect(reply.headers.get('set-cookie')).toMatch(/^__Host-outofband-device=/)
    const again = await pages('/register', { ...person, email: 'ada@EXAMPLE.com' })
    expect(again.outcome).toMatchObject({ ok: false, status: 400, code: 'AlreadyExists' })
    const weak = await pages('/register', { email: 'b@example.com', password: 'too short' })
    expect(weak.outcome).toMatchObject({ ok: false, status: 400, code: 'WeakPassword' })
    expect((await pages('/register', { email: 'no', password: PASSWORD })).outcome).toMatchObject({
      code: 'BadRequest',
    })
  })

  test('learns nothing in the quiet mode [SC 73]', async () => {
    const app = await startService({
      registration: { mode: 'quiet', urlTemplate: 'https://app.example.com/r/{token}' },
    })
    const pages = await startPages(app)
    const replies = []
    for (const email of ['new@example.com', 'admin@example.com'])
      replies.push((await pages('/register', { email, password: PASSWORD })).reply)
    expect(replies[0]?.text).toBe(replies[1]?.text)
    expect(replies[0]?.headers.get('set-cookie')).toBe(null)
    expect(replies[0]?.body).toEqual({ ok: true })
    await app.service.idle()
    expect(app.mails.map(({ template }) => template).sort()).toEqual(['already_registered', 'registration'])
  })
})

describe('a session of pages', () => {
  /** Passport, as its users know it. */
  async function startSite(app: TestService) {
    const { accounts } = app.service
    const passport = new Passport()
    passport.use(
      new LocalStrategy({ usernameField: 'email', passReqToCallback: true }, (req, email, password, done) => {
        accounts.verifyPassword({ req, res: req.res, email, password }).then((outcome) => {
          if (outcome.ok) done(null, outcome.user)
          else done(null, false)
        }, done)
      }),
    )
    passport.serializeUser((user, done) => done(null, Reflect.get(user, 'sessionKey')))
    passport.deserializeUser((key, done) => {
      accounts.findBySession(key).then((user) => done(null, user ?? false), done)
    })
    const site = express().use(express.urlencoded(), session({ secret: 'x', resave: false, saveUninitialized: false }))
    site.use(passport.session())
    site.post('/login', passport.authenticate('local') as express.RequestHandler, (_req, res) => void res.end())
    site.get('/me', (req, res) => void res.status(req.isAuthenticated() ? 200 : 401).end())
    const server = await listen(site)
    onTestFinished(() => server.close())
    return async (email: string, password: string) => {
      const reply = await send(`${server.url}/login`, 'POST', {
        raw: new URLSearchParams({ email, password }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      const cookie =
        reply.headers
          .getSetCookie()
          .find((text) => text.startsWith('connect.sid'))
          ?.split(';')[0] ?? ''
      return async () => (await send(`${server.url}/me`, 'GET', { headers: { cookie } })).status
    }
  }

  test('ends with a new password, a reset, a deactivation and "end all sessions", wherever they come from [SC 66]', async () => {
    const app = await startService()
    const login = await startSite(app)
    const admin = await app.admin()
    const { id, email } = await app.register('alice')
    const ends = [
      () => app.call('POST', `/user/${id}/set_password/`, { token: admin.token, body: { password: PASSWORD } }),
      () => app.call('DELETE', `/user/${id}/sessions/`, { token: admin.token }),
      () => app.service.accounts.setActive({ actorId: admin.id, userId: id, isActive: false }),
    ]
    for (const end of ends) {
      const status = await login(email, PASSWORD)
      expect(await status()).toBe(200)
      await end()
      expect(await status()).toBe(401)
    }
    await app.service.accounts.setActive({ actorId: admin.id, userId: id, isActive: true })
    const other = await login('service@example.com', ADMIN_PASSWORD)
    expect(await other()).toBe(200)
  })

  test.each([undefined, null, '', 7, '3', '3.', '03.0', '3.0 ', '99999999999.0', '4294967299.0', {}, ['1.0']])(
    'is nobody for the key %j',
    async (key) => {
      const app = await startService()
      expect(await app.service.accounts.findBySession(key)).toBeUndefined()
      expect(await app.service.accounts.findBySession('1.0')).toMatchObject({ email: 'admin@example.com' })
    },
  )
})

describe('a page with which passwords are changed or set anew', () => {
  test('needs the present password, ends every session, and goes on with the key of the outcome', async () => {
    const app = await startService()
    const pages = await startPages(app)
    const { email, token, id } = await app.register('alice')
    const change = { sessionKey: `${id}.0`, currentPassword: PASSWORD, newPassword: PASSWORD_2 }
    const wrong = await pages('/change', { ...change, currentPassword: 'wrong' })
    expect(wrong.outcome).toMatchObject({ ok: false, status: 401, code: 'AuthFailure' })
    const weak = await pages('/change', { ...change, newPassword: 'short' })
    expect(weak.outcome).toMatchObject({ ok: false, code: 'WeakPassword' })
    expect((await app.call('GET', '/user/current/', { token })).status).toBe(200)
    const { outcome } = await pages('/change', change)
    expect(outcome).toMatchObject({ ok: true, user: { email, sessionKey: `${id}.1` } })
    expect(await app.call('GET', '/user/current/', { token })).toMatchObject({ status: 403 })
    expect(await app.service.accounts.findBySession(`${id}.0`)).toBeUndefined()
    expect(await app.service.accounts.findBySession(`${id}.1`)).toMatchObject({ id })
    // With a session that is over, nothing can be changed.
    expect((await pages('/change', { ...change, currentPassword: PASSWORD_2 })).outcome).toMatchObject({ status: 403 })
    await app.service.idle()
    expect(app.notices.map(({ template }) => template)).toEqual(['password_changed'])
  })

  test('counts wrong present passwords as failed logins', async () => {
    const app = await startService()
    const pages = await startPages(app)
    const { email, id } = await app.register('alice')
    const change = { sessionKey: `${id}.0`, currentPassword: 'wrong', newPassword: PASSWORD_2 }
    for (let count = 0; count < 10; count += 1) await pages('/change', change)
    expect((await pages('/change', { ...change, currentPassword: PASSWORD })).outcome).toMatchObject({ status: 429 })
    expect(app.events.some(({ type, userId }) => type === 'login.failed' && userId === id)).toBe(true)
    expect(email).toContain('@')
  })

  test('resets by mail: the same answer for unknown addresses, a token for one use, and all sessions end [SC 72]', async () => {
    const app = await startService()
    const pages = await startPages(app)
    const { email, token } = await app.register('alice')
    const replies = [await pages('/forgot', { email }), await pages('/forgot', { email: 'nobody@example.com' })]
    expect(replies.map(({ reply }) => reply.text)).toEqual(['{"ok":true}', '{"ok":true}'])
    const evil = await pages('/forgot', { email, urlTemplate: 'https://evil.example/{token}' })
    expect(evil.outcome).toMatchObject({ ok: false, code: 'InvalidUrlTemplate' })
    await app.service.idle()
    const link = app.mails[0]?.variables['password_reset_url'] ?? ''
    const secret = link.slice('https://app.example.com/r/'.length)
    const weak = await pages('/reset', { token: secret, newPassword: 'short' })
    expect(weak.outcome).toMatchObject({ ok: false, code: 'WeakPassword' })
    const done = await pages('/reset', { token: secret, newPassword: PASSWORD_2 })
    expect(done.outcome).toMatchObject({ ok: true, user: { email } })
    expect(await app.call('GET', '/user/current/', { token })).toMatchObject({ status: 403 })
    const again = await pages('/reset', { token: secret, newPassword: PASSWORD })
    expect(again.outcome).toMatchObject({ ok: false, status: 400, code: 'InvalidToken' })
    expect(await app.login(email, PASSWORD_2)).toMatchObject({ status: 200 })
  })
})

describe('a page that verifies phones', () => {
  test('gets a number only with its code, for the user who proved it, once', async () => {
    const app = await startService({ verification: { required: true } })
    const pages = await startPages(app)
    const { accounts } = app.service
    const alice = await app.register('alice')
    const bob = await app.register('bob')
    const phone = '+1 201 555 0123'
    expect(await accounts.update(alice.id, { phone })).toMatchObject({ ok: false, code: 'InvalidPhoneCode' })
    expect((await pages('/phone', { phone: 'no number' })).outcome).toMatchObject({ code: 'InvalidPhone' })
    expect((await pages('/phone', { phone })).outcome).toEqual({ ok: true })
    const code = /\d{6}/.exec(app.texts[0]?.text ?? '')?.[0] ?? ''
    const wrong = await pages('/phone/confirm', { phone, code: code === '000000' ? '111111' : '000000' })
    expect(wrong.outcome).toMatchObject({ ok: false, code: 'InvalidPhoneCode' })
    expect((await pages('/phone/confirm', { phone, code, userId: alice.id })).outcome).toEqual({ ok: true })
    expect(await accounts.update(bob.id, { phone })).toMatchObject({ ok: false, code: 'InvalidPhoneCode' })
    expect((await userOf(accounts.update(alice.id, { phone }))).phone).toBe(phone)
    expect(await accounts.update(alice.id, { phone: '+1 201 555 0124' })).toMatchObject({ ok: false })
    expect((await pages('/phone', { phone })).outcome).toMatchObject({ ok: false, status: 429 })
  })

  test('is told by an exception that nothing is there to send with', async () => {
    const app = await startService({ senders: {} })
    const call = { req: new (await import('node:http')).IncomingMessage(new (await import('node:net')).Socket()) }
    await expect(app.service.accounts.sendPhoneCode({ ...call, phone: '+12015550123' })).rejects.toThrow(
      ConfigurationError,
    )
  })
})

describe('administration', () => {
  test('is for those who are administrators at this moment [SC 68]', async () => {
    const app = await startService()
    const { accounts } = app.service
    const admin = await app.admin()
    const alice = await app.register('alice')
    const refused = { ok: false, status: 403, code: 'MissingRoleError' }
    expect(await accounts.setRoles({ actorId: alice.id, userId: alice.id, roles: ['admin'] })).toMatchObject(refused)
    expect(await accounts.setActive({ actorId: 2, userId: alice.id, isActive: false })).toMatchObject(refused)
    expect(await accounts.setActive({ actorId: 999, userId: alice.id, isActive: false })).toMatchObject(refused)
    const promoted = await userOf(accounts.setRoles({ actorId: admin.id, userId: alice.id, roles: ['admin'] }))
    expect(promoted.roles).toEqual(['admin'])
    expect(await accounts.setRoles({ actorId: alice.id, userId: admin.id, roles: [] })).toMatchObject({ ok: true })
    expect(await accounts.setRoles({ actorId: admin.id, userId: alice.id, roles: [] })).toMatchObject(refused)
    expect(app.events.filter(({ type }) => type === 'roles.changed')).toMatchObject([
      { userId: alice.id, actorId: admin.id, reason: 'admin' },
      { userId: admin.id, actorId: alice.id, reason: '' },
    ])
  })

  test('leaves the last administrator, and nobody deactivates themselves', async () => {
    const app = await startService()
    const { accounts } = app.service
    const { id } = await app.admin()
    const last = { ok: false, status: 400, code: 'BadRequest' }
    expect(await accounts.setRoles({ actorId: id, userId: id, roles: ['editor'] })).toMatchObject(last)
    const self = await accounts.setActive({ actorId: id, userId: id, isActive: false })
    expect(self).toMatchObject({ ok: false, status: 403, code: 'AccessDenied' })
    for (const roles of [['a b'], ['a,b'], [''], [1], 'admin', { 0: 'admin' }])
      expect(await accounts.setRoles({ actorId: id, userId: id, roles: roles as string[] })).toMatchObject({
        ok: false,
      })
    expect(await accounts.setRoles({ actorId: id, userId: 999, roles: [] })).toMatchObject({ code: 'NoSuchUser' })
  })

  test('lists and searches, page after page', async () => {
    const app = await startService()
    const { accounts } = app.service
    for (let count = 0; count < 5; count += 1) await app.register(`person${count}`)
    const all = await accounts.list()
    expect(all).toHaveLength(7)
    expect(JSON.stringify(all)).not.toMatch(/passwordHash|argon2/)
    const first = await accounts.list({ limit: 2, search: 'PERSON' })
    const second = await accounts.list({ limit: 2, search: 'PERSON', afterId: first.at(-1)?.id ?? 0 })
    expect([...first, ...second].map(({ email }) => email.slice(0, 7))).toEqual([
      'person0',
      'person1',
      'person2',
      'person3',
    ])
    expect(await accounts.list({ limit: Number.NaN, afterId: -5 })).toHaveLength(1)
    expect(await accounts.list({ search: '\0\ud800' })).toHaveLength(7)
    expect(await accounts.list({ afterId: 1e12 })).toEqual([])
    expect(await accounts.find(1)).toMatchObject({ email: 'admin@example.com' })
    expect(await accounts.find(Number.NaN)).toBeUndefined()
  })
})

describe('requireRole for sessions', () => {
  test('reads who is signed in, and lets the application answer', async () => {
    const people: Record<string, { roles: string[]; status?: string } | undefined> = {
      admin: { roles: ['admin'], status: 'active' },
      plain: { roles: [] },
      text: { roles: 'admin' as unknown as string[] },
    }
    const userOf = (req: express.Request) => people[String(req.headers['x-person'])]
    const guard = requireRole({ userOf, anyOf: ['admin'] })
    const site = express().get('/', guard, (_req, res) => void res.end('in'))
    const pages = requireRole({
      userOf,
      anyOf: ['admin'],
      onRefused: ({ status }, _req, res) => res.writeHead(status).end('page'),
    })
    site.get('/page', pages, (_req, res) => void res.end('in'))
    const server = await listen(site)
    onTestFinished(() => server.close())
    const get = async (path: string, person: string) => {
      const { status, text } = await send(server.url + path, 'GET', { headers: { 'x-person': person } })
      return [status, text.includes('MissingRoleError') ? 'MissingRoleError' : text]
    }
    expect(await get('/', 'admin')).toEqual([200, 'in'])
    expect(await get('/', 'plain')).toEqual([403, 'MissingRoleError'])
    expect(await get('/', 'text')).toEqual([403, 'MissingRoleError'])
    expect((await get('/', 'nobody'))[0]).toBe(401)
    expect(await get('/page', 'plain')).toEqual([403, 'page'])
  })

  test('takes one way to know who it is, not both and not none', () => {
    expect(() => requireRole({ anyOf: ['admin'] })).toThrow(InvalidOptionError)
    const both = { userOf: () => undefined, verifyToken: () => Promise.reject(new Error('no')) }
    expect(() => requireRole(both)).toThrow(InvalidOptionError)
  })
})

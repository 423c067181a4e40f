import { request as httpRequest } from 'node:http'
import { rememberDelivery } from 'passport-outofband'
import { beginSecondFactor, currentAssurance } from 'passport-outofband/middleware'
import request from 'supertest'
import { afterEach, describe, expect, test } from 'vitest'
import { EXPRESS, loginApp, type LoginApp, type LoginAppOptions } from '../support/login-app.js'
import { SlowStore } from '../support/slow-session-store.js'

let app: LoginApp
const open: LoginApp[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function start(options: LoginAppOptions = {}): Promise<void> {
  app = await loginApp(options)
  open.push(app)
}

const password = { username: 'alice', password: 'correct horse' }
type Agent = ReturnType<typeof request.agent>
const browser = (): Agent => request.agent(app.url)
const sidOf = (response: request.Response): string | undefined =>
  [response.headers['set-cookie'] ?? []]
    .flat()
    .find((cookie) => cookie.startsWith('connect.sid='))
    ?.split(';')[0]

async function passPassword(agent: Agent): Promise<request.Response> {
  return agent.post('/login').send(password).expect(202)
}

describe.each(Object.entries(EXPRESS))('two-phase login under %s', (_name, express) => {
  test('after the password alone no protected route opens; the code opens them [SC 1]', async () => {
    await start({ express })
    const agent = browser()
    const first = await passPassword(agent)
    expect(first.headers['location']).toBe('/login/second')
    await agent.get('/private').expect(401)
    await agent.get('/transfer').expect(401)
    await agent.post('/transfer').expect(401)
    await agent.get('/me').expect(200, { assurance: null })
    await agent.post('/login/code').send({ token: '123456' }).expect(200)
    await agent.get('/private').expect(200)
    await agent.get('/transfer').expect(200)
  })

  test('sends a browser to the second factor, and after successRedirect the new state is there [SC 39, 76]', async () => {
    await start({ express, sessionStore: new SlowStore(300) })
    const agent = browser()
    const first = await agent.post('/login').set('accept', 'text/html').send(password).expect(303)
    expect(first.headers['location']).toBe('/login/second')
    const second = await agent.post('/login/code/redirect').type('form').send({ token: '123456' }).expect(302)
    expect(second.headers['location']).toBe('/private')
    await agent.get('/private').expect(200)
    const me = await agent.get('/me').expect(200)
    expect(me.body.assurance.factors).toMatchObject([{ factor: 'password' }, { factor: 'totp' }])
  })

  test('the push finishes a login, once, and its session only', async () => {
    await start({ express })
    const agent = browser()
    await passPassword(agent)
    const pending = await agent.post('/login/push/api').expect(202)
    expect(pending.body).toMatchObject({ status: 'pending', location: `/login/wait/${pending.body.id}` })
    expect(pending.headers['retry-after']).toBe('2')
    app.phone.decide('approved')
    await app.clock.advance(1_000)
    const done = await agent.post('/login/push/api').expect(200)
    expect(done.body.info).toMatchObject({ factor: 'push', amr: ['mca'], approvalId: pending.body.id })
    await agent.get('/private').expect(200)
  })
})

describe('the session', () => {
  test('is stored before the first byte of an answer that depends on it [SC 76]', async () => {
    await start({ sessionStore: new SlowStore(100) })
    const first = await headersOf('/login', JSON.stringify(password))
    const cookie = first.cookie
    expect([first.status, (await storedSessions()).join()]).toEqual([202, expect.stringContaining('"login"')])
    const pushed = await headersOf('/login/push/api', '{}', cookie)
    expect([pushed.status, (await storedSessions()).join()]).toEqual([202, expect.stringContaining('"approvals"')])
    const second = await headersOf('/login/code/redirect', '{"token":"123456"}', cookie)
    expect([second.status, (await storedSessions()).join()]).toEqual([302, expect.stringContaining('"assurance"')])
  })

  test('gets a new id at each phase, keeps the allow list and nothing else [SC 39]', async () => {
    await start()
    const agent = browser()
    const ids = [sidOf(await agent.post('/cart').send({}))]
    ids.push(sidOf(await passPassword(agent)))
    ids.push(sidOf(await agent.post('/login/code').send({ token: '123456' })))
    expect(ids.every((id) => id !== undefined)).toBe(true)
    expect(new Set(ids).size).toBe(3)
    const { body } = await agent.get('/private').expect(200)
    expect(body.cart).toEqual(['book'])
    const stored = await storedSessions()
    expect(stored).toHaveLength(1)
    expect(stored[0]).not.toContain('secretNote')
  })

  test('of an attacker who planted its id is not raised [SC 39]', async () => {
    await start({ saveUninitialized: true })
    const planted = sidOf(await request(app.url).get('/private'))!
    const first = await request(app.url).post('/login').set('cookie', planted).send(password).expect(202)
    const victim = sidOf(first)!
    await request(app.url).post('/login/code').set('cookie', planted).send({ token: '123456' }).expect(401)
    await request(app.url).post('/login/code').set('cookie', victim).send({ token: '123456' }).expect(200)
    await request(app.url).get('/private').set('cookie', planted).expect(401)
    await request(app.url).get('/private').set('cookie', victim).expect(401)
  })

  test.each([true, false])('is not undone or raised by slow parallel requests (resave: %s) [SC 77]', async (resave) => {
    await start({ resave, sessionStore: new SlowStore(20) })
    const old = sidOf(await request(app.url).post('/login').send(password))!
    const post = (path: string, body: object = {}) => request(app.url).post(path).set('cookie', old).send(body)
    const [login] = await Promise.all([
      post('/login/code', { token: '123456' }).expect(200),
      ...Array.from({ length: 5 }, () => post('/cart')),
    ])
    const raised = sidOf(login)!
    await request(app.url).get('/transfer').set('cookie', raised).expect(200)
    // Those requests may have brought the old session back: it is nobody's, and stays so.
    await request(app.url).get('/private').set('cookie', old).expect(401)
    await post('/login/code', { token: '123456' }).expect(401)
    await request(app.url).get('/transfer').set('cookie', old).expect(401)
  })

  test('survives keepSessionInfo without the state of before the login', async () => {
    await start({
      more: (server, { passport }) =>
        server.post('/keep', passport.authenticate('authy-token', { keepSessionInfo: true }) as never, (_req, res) => {
          res.json({})
        }),
    })
    const agent = browser()
    await passPassword(agent)
    await agent.post('/keep').send({ token: '123456' }).expect(200)
    await agent.get('/transfer').expect(200)
    expect((await storedSessions()).join()).not.toContain('"login"')
  })

  test('of a login before is gone once somebody signs in with a password again', async () => {
    await start()
    const agent = browser()
    await passPassword(agent)
    await agent.post('/login/code').send({ token: '123456' }).expect(200)
    await passPassword(agent)
    await agent.get('/private').expect(401)
  })

  test('of a first factor without session: false does not log in with one factor [SC 1]', async () => {
    await start({
      more: (server, { passport, assurances }) => {
        server.post('/careless', passport.authenticate('password') as never, secondFactor(assurances))
      },
    })
    const agent = browser()
    await agent.post('/careless').send(password).expect(202)
    await agent.get('/private').expect(401)
  })
})

describe('there is no other way in', () => {
  test('a policy that leaves the number of factors undefined asks for two [SC 1]', async () => {
    await start({ policy: { anyOf: ['password', 'totp'], independent: undefined } })
    const agent = browser()
    await passPassword(agent)
    await agent.get('/private').expect(401)
  })

  test('the guard of the guide signs out whose login was revoked or has ended [SC 9]', async () => {
    await start({
      more: (server, { assurances }) => {
        server.use((req, _res, next) => {
          currentAssurance(req, assurances).then((login) => {
            if (req.user && !login) req.logout(next)
            else next()
          }, next)
        })
        server.get('/guarded', (req, res) => void res.sendStatus(req.isAuthenticated() ? 200 : 401))
      },
    })
    for (const end of [() => app.assurances.revoke('alice'), () => app.clock.advance(3_600_000)]) {
      const agent = browser()
      await passPassword(agent)
      app.authy.code = app.authy.code === '123456' ? '654321' : '123456'
      await agent.post('/login/code').send({ token: app.authy.code }).expect(200)
      await agent.get('/guarded').expect(200)
      await end()
      await agent.get('/guarded').expect(401)
    }
  })

  test('a pending login ends after ten minutes', async () => {
    await start()
    const agent = browser()
    await passPassword(agent)
    await app.clock.advance(600_000)
    await agent.post('/login/code').send({ token: '123456' }).expect(401)
  })

  test('two factors over one channel are not two [SC 3]', async () => {
    await start({
      more: (server, { passport, assurances }) => {
        server.post(
          '/sms-login',
          passport.authenticate('password', { session: false }) as never,
          secondFactor(assurances, 'sms'),
        )
      },
    })
    const agent = browser()
    await agent.post('/sms-login').send(password).expect(202)
    await rememberDelivery(app.state, 'alice', 'call')
    const refused = await agent.post('/login/code').send({ token: '123456' })
    expect(refused.status).toBe(401)
    await agent.get('/private').expect(401)
  })

  test('a password reset leaves the person at the second factor [SC 2]', async () => {
    await start({
      more: (server, { assurances }) => {
        server.post(
          '/reset',
          (req, _res, next) => {
            Reflect.set(req, 'user', { id: 'alice' })
            next()
          },
          secondFactor(assurances, 'email'),
        )
      },
    })
    const agent = browser()
    await agent.post('/reset').send({}).expect(202)
    await agent.get('/private').expect(401)
    await agent.get('/transfer').expect(401)
  })

  test('the second factor alone logs nobody in', async () => {
    await start()
    await request(app.url).post('/login/code').send({ token: '123456', username: 'alice' }).expect(401)
    await request(app.url).post('/login/push/api').send({ username: 'alice' }).expect(401)
    expect(app.authy.asked).toBe(0)
    expect(app.phone.asked).toEqual([])
  })

  test('a policy of one factor must be asked for, and then logs in at once', async () => {
    await start({ policy: { anyOf: ['password'], independent: 1 } })
    const agent = browser()
    await agent.post('/login').send(password).expect(200, { user: true })
    await agent.get('/private').expect(200)
    await agent.get('/transfer').expect(401)
  })

  test('a policy of three factors is met by three', async () => {
    await start({ policy: { allOf: ['password', 'totp', 'push'] } })
    const agent = browser()
    await passPassword(agent)
    await agent.post('/login/code').send({ token: '123456' }).expect(401)
    await agent.get('/private').expect(401)
    await agent.post('/login/push/api').expect(202)
    app.phone.decide('approved')
    await app.clock.advance(1_000)
    await agent.post('/login/push/api').expect(200)
    await agent.get('/private').expect(200)
  })

  test('revoking everything ends the raised session of that login [SC 9]', async () => {
    await start()
    const agent = browser()
    await passPassword(agent)
    await agent.post('/login/code').send({ token: '123456' }).expect(200)
    await agent.get('/transfer').expect(200)
    await app.assurances.revoke('alice')
    await agent.get('/transfer').expect(401)
  })
})

describe('signing out', () => {
  test('ends the assurance, so that a copy of the session is worth nothing', async () => {
    await start()
    const agent = browser()
    await passPassword(agent)
    await agent.post('/login/code').send({ token: '123456' }).expect(200)
    const copy = await storedSessions()
    await agent.post('/logout').expect(200)
    await agent.get('/private').expect(401)
    const id = (JSON.parse(copy[0]!) as { outofband: { assurance: string } }).outofband.assurance
    expect(await app.assurances.read(id)).toBeUndefined()
  })

  test('takes a POST of this site only [SC 75]', async () => {
    await start()
    const agent = browser()
    await passPassword(agent)
    await agent.post('/login/code').send({ token: '123456' }).expect(200)
    await agent.get('/logout').expect(404)
    await agent.post('/logout').set('sec-fetch-site', 'cross-site').expect(403)
    await agent.post('/logout').set('origin', 'https://evil.example').expect(403)
    await agent.get('/private').expect(200)
  })
})

/** Posts, and resolves as soon as the head of the answer is there. */
async function headersOf(path: string, body: string, cookie = ''): Promise<{ status: number; cookie: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', cookie }
    const outgoing = httpRequest(app.url + path, { method: 'POST', headers }, (response) => {
      response.resume()
      const cookies = response.headers['set-cookie']?.map((one) => one.split(';')[0]) ?? []
      resolve({ status: response.statusCode ?? 0, cookie: cookies.join('; ') })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function secondFactor(assurances: LoginApp['assurances'], factor = 'password'): never {
  const policy = { anyOf: ['totp', 'sms', 'call', 'push'] }
  return beginSecondFactor({ assurances, policy, factor, secondFactorPath: '/login/second' }) as never
}

async function storedSessions(): Promise<string[]> {
  const all = await new Promise<object>((resolve, reject) => {
    app.sessions.all?.((error: unknown, sessions) => {
      if (error) reject(new Error('no sessions', { cause: error }))
      else resolve(sessions ?? {})
    })
  })
  return Object.values(all).map((session) => JSON.stringify(session))
}

import { createGuessLimits, InvalidOptionError, rememberDelivery } from 'passport-outofband'
import { AuthyTokenStrategy } from 'passport-outofband/strategies'
import { MemoryStateStore } from 'passport-outofband/stores'
import request from 'supertest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loginApp, type LoginApp } from '../support/login-app.js'
import { afterPassword, loggedIn } from './support.js'

let app: LoginApp
beforeEach(async () => {
  app = await loginApp()
})
afterEach(() => app.close())

const code = { token: '123456' }

describe('a code', () => {
  const tricks: readonly (readonly [string, unknown])[] = [
    ['an array', ['123456']],
    ['a nested array', [['123456']]],
    ['an object', { $ne: '' }],
    ['an object with a length', { length: 6 }],
    ['a number', 123456],
    ['a boolean', true],
    ['null', null],
    ['nothing', undefined],
    ['an empty string', ''],
    ['five digits', '12345'],
    ['thirteen digits', '1234567890123'],
    ['a path', '../sms'],
    ['a path after digits', '123456/../sms'],
    ['an encoded slash', '123456%2f'],
    ['a line break at its end', '123456\n'],
    ['digits of another script', '١٢٣٤٥٦'],
    ['a sign', '+123456'],
    ['spaces', ' 123456 '],
    ['a NUL', '123456\0'],
  ]
  test.each(tricks)('that is %s goes nowhere [SC 16]', async (_name, token) => {
    const agent = await afterPassword(app)
    const { body } = await agent.post('/login/code').send({ token }).expect(400)
    expect(body).toEqual({})
    expect(app.authy.asked).toBe(0)
  })

  test('in a form that makes arrays and objects of fields goes nowhere', async () => {
    const agent = await afterPassword(app)
    for (const form of ['token[]=123456', 'token=123456&token=123456', 'token[a]=123456', '__proto__[token]=123456']) {
      await agent.post('/login/code').type('form').send(form).expect(400)
    }
    expect(app.authy.asked).toBe(0)
  })

  test('in the query string is not seen; in the body it is [SC 20]', async () => {
    const agent = await afterPassword(app)
    await agent.post('/login/code?token=123456').send({}).expect(400)
    await agent.post('/login/code?token=123456').send({ token: '000000' }).expect(401)
    expect(app.authy.asked).toBe(1)
    await agent.post('/login/code?token=000000').send(code).expect(200)
  })

  test('works once, also in another session of the user [SC 12, 29]', async () => {
    const first = await afterPassword(app)
    const second = await afterPassword(app)
    await first.post('/login/code').send(code).expect(200)
    const asked = app.authy.asked
    await first.post('/login/code').send(code).expect(401)
    await second.post('/login/code').send(code).expect(401)
    expect(app.authy.asked).toBe(asked)
    await second.get('/private').expect(401)
  })

  test('sent by many requests at once lets one of them in, and asks the provider once [SC 12, 29]', async () => {
    const agents = await Promise.all(Array.from({ length: 5 }, () => afterPassword(app)))
    const answers = await Promise.all(agents.map((agent) => agent.post('/login/code').send(code)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401])
    expect(app.authy.asked).toBe(1)
  })

  test('is checked for the user who passed the password, whatever the body says [SC 16]', async () => {
    const agent = await afterPassword(app, 'bob')
    const { body } = await agent
      .post('/login/code')
      .send({ ...code, username: 'alice', subject: 'alice' })
      .expect(200)
    expect(body.user.id).toBe('bob')
  })

  test('raises the session of its own login only [SC 5]', async () => {
    const one = await afterPassword(app)
    const other = await afterPassword(app)
    await one.post('/login/code').send(code).expect(200)
    await other.get('/private').expect(401)
    await one.get('/private').expect(200)
  })
})

describe('guessing', () => {
  test('stops after five wrong codes over all sessions, before the provider is asked [SC 17]', async () => {
    const agents = await Promise.all(Array.from({ length: 8 }, () => afterPassword(app)))
    const answers = await Promise.all(agents.map((agent) => agent.post('/login/code').send({ token: '999999' })))
    // The same wrong code at the same time counts too, though only one of them reaches the provider.
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(3)
    expect(app.authy.asked).toBeLessThanOrEqual(5)
    const asked = app.authy.asked
    const refused = await agents[0]!.post('/login/code').send(code).expect(429)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(app.authy.asked).toBe(asked)
  })

  test('gains nothing from right passwords in between, with limits that the password form shares [SC 17]', async () => {
    const limits = createGuessLimits({ state: app.state, runtime: app.runtime })
    for (let i = 0; i < 10; i += 1) {
      const permit = await limits.begin({ subject: 'alice', device: `browser-${i}` })
      if (permit.allowed) await permit.succeeded()
      const agent = await afterPassword(app)
      await agent.post('/login/code').send({ token: `90000${i}` })
    }
    expect(app.authy.asked).toBe(5)
  })

  test('is forgotten after the pause, and a right code lets in [SC 18]', async () => {
    const agent = await afterPassword(app)
    for (let i = 0; i < 5; i += 1)
      await agent
        .post('/login/code')
        .send({ token: `90000${i}` })
        .expect(401)
    await agent.post('/login/code').send(code).expect(429)
    await app.clock.advance(30_000)
    await agent.post('/login/code').send(code).expect(200)
  })

  test('by a stranger does not lock out the browser that signed in before [SC 18]', async () => {
    const known = await loggedIn(app)
    await known.post('/logout').expect(200)
    const stranger = await afterPassword(app)
    for (let i = 0; i < 5; i += 1)
      await stranger
        .post('/login/code')
        .send({ token: `90000${i}` })
        .expect(401)
    await stranger.post('/login/code').send({ token: '654321' }).expect(429)
    app.authy.code = '654321'
    await known.post('/login').send({ username: 'alice', password: 'correct horse' }).expect(202)
    await known.post('/login/code').send({ token: '654321' }).expect(200)
  })
})

describe('a provider', () => {
  const answers: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['says "true" as text', async () => ({ valid: 'true' })],
    ['says 1', async () => ({ valid: 1 })],
    ['says nothing of it', async () => ({})],
    ['says that it is invalid', async () => ({ valid: false, reason: 'used' })],
  ]
  test.each(answers)('that %s lets nobody in [SC 31]', async (_name, answer) => {
    app.authy.answer = answer as LoginApp['authy']['answer']
    const agent = await afterPassword(app)
    await agent.post('/login/code').send(code).expect(401)
    await agent.get('/private').expect(401)
  })

  test('that is down lets nobody in, costs no try, and leaves the code good for later [SC 7]', async () => {
    const agent = await afterPassword(app)
    app.authy.answer = () => Promise.reject(new Error('connect ECONNREFUSED'))
    for (let i = 0; i < 10; i += 1) await agent.post('/login/code').send(code).expect(500, { error: 'internal' })
    await agent.get('/private').expect(401)
    app.authy.answer = undefined
    await agent.post('/login/code').send(code).expect(200)
  })
})

describe('codes by text message and call', () => {
  test('count as what they may be [SC 4, 24]', async () => {
    await rememberDelivery(app.state, 'alice', 'sms')
    const agent = await afterPassword(app)
    const { body } = await agent.post('/login/code').send(code).expect(200)
    expect(body.info).toMatchObject({ factor: 'sms', amr: ['sms'], proof: 'transfer' })
    // /transfer takes push and totp.
    await agent.get('/transfer').expect(401)
  })

  test('can be switched off [SC 24]', async () => {
    await app.close()
    app = await loginApp({ policy: { anyOf: ['totp', 'push'] } })
    await rememberDelivery(app.state, 'alice', 'call')
    const agent = await afterPassword(app)
    await agent.post('/login/code').send(code).expect(401)
    await agent.get('/private').expect(401)
  })
})

test('no record holds a code or a session id, and each try leaves one [SC 19, 91, 92]', async () => {
  const agent = await afterPassword(app)
  await agent.post('/login/code').send({ token: '908070' }).expect(401)
  const done = await agent.post('/login/code').send(code).expect(200)
  await agent.post('/logout').expect(200)
  expect(app.events.map(({ message }) => message)).toEqual([
    'factor passed',
    'factor failed',
    'factor passed',
    'factor completed',
    'factor ended',
  ])
  expect(app.events[1]).toMatchObject({
    level: 'warn',
    details: { subject: 'alice', factor: 'totp', reason: 'invalid' },
  })
  const text = JSON.stringify(app.events) + JSON.stringify(app.errors)
  for (const secret of ['908070', '123456', done.body.info.assuranceId as string]) expect(text).not.toContain(secret)
})

test('a form that another site sends is refused [SC 75]', async () => {
  const agent = await afterPassword(app)
  await agent.post('/login/code').set('origin', 'https://evil.example').send(code).expect(403)
  await agent.post('/login/code').set('sec-fetch-site', 'same-site').send(code).expect(403)
  expect(app.authy.asked).toBe(0)
})

test('a callback that throws ends in an error, never in a login, and the process lives [SC 94]', async () => {
  const state = new MemoryStateStore()
  const boom = (): never => {
    throw new Error('boom')
  }
  const client = { tokens: { verify: async () => ({ valid: true }) } }
  const good = { client, state, subject: () => 'alice', authyId: () => '1' }
  const verify = async () => ({ id: 'alice' })
  const broken = [
    new AuthyTokenStrategy({ ...good, subject: boom }, verify),
    new AuthyTokenStrategy({ ...good, authyId: boom }, verify),
    new AuthyTokenStrategy({ ...good, device: boom }, verify),
    new AuthyTokenStrategy({ ...good, address: boom }, verify),
    new AuthyTokenStrategy({ ...good, state: new MemoryStateStore() }, boom),
    new AuthyTokenStrategy({ ...good, state: new MemoryStateStore() }, (_subject, _proof, done) => {
      done(new Error('boom'))
    }),
  ]
  await app.close()
  app = await loginApp({
    more: (server, { passport }) => {
      for (const [index, strategy] of broken.entries()) {
        server.post(`/broken/${index}`, passport.authenticate(strategy) as never, (_req, res) => void res.json({}))
      }
    },
  })
  for (const index of broken.keys()) {
    await request(app.url).post(`/broken/${index}`).send(code).expect(500, { error: 'internal' })
  }
  expect(app.errors.map(({ message }) => message)).toEqual(broken.map(() => 'boom'))
})

test('as a first factor it logs the user in that the application names', async () => {
  const client = { tokens: { verify: async () => ({ valid: true }) } }
  await app.close()
  app = await loginApp({
    more: (server, { passport, assurances, runtime }) => {
      const options = {
        runtime,
        client,
        assurances,
        state: new MemoryStateStore(),
        authyId: () => 42,
        passReqToCallback: true,
      } as const
      const subject = (req: { body?: unknown }) => (req.body as { username?: string }).username
      passport.use(
        new AuthyTokenStrategy({ ...options, subject, name: 'code-first' }, async (req, id) =>
          req.headers['x-tenant'] === 'bank' ? { id } : false,
        ),
      )
      server.post(
        '/first',
        passport.authenticate('code-first') as never,
        (req, res) => void res.json({ user: req.user }),
      )
    },
  })
  const agent = request.agent(app.url)
  await agent
    .post('/first')
    .send({ ...code, username: 'alice' })
    .expect(401)
  await agent.post('/first').set('x-tenant', 'bank').send({ token: '765432', username: 'alice' }).expect(200)
  await agent.get('/private').expect(200)
  await agent.get('/transfer').expect(200)
})

test('options are checked when it is made, by name', () => {
  const make = (options: object) => () =>
    Reflect.construct(AuthyTokenStrategy, [options, () => false]) as AuthyTokenStrategy
  const good = { client: { tokens: { verify: () => undefined } }, state: new MemoryStateStore(), authyId: () => 1 }
  expect(make(good)).not.toThrow()
  expect(make({ ...good, client: {} })).toThrow(/'client' is wrong: give an AuthyClient/)
  expect(make({ ...good, tokenfield: 'code' })).toThrow(/did you mean 'tokenField'/)
  expect(make({ ...good, keep: ['passport'] })).toThrow(InvalidOptionError)
  expect(make({ ...good, factors: [] })).toThrow(InvalidOptionError)
  expect(() => Reflect.construct(AuthyTokenStrategy, [good]) as object).toThrow(/verify callback/)
})

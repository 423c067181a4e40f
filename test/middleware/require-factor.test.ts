import type { FactorPolicy } from 'passport-outofband'
import { requireFactor, safeReturnPath } from 'passport-outofband/middleware'
import { AuthyTokenStrategy, OneTouchStrategy } from 'passport-outofband/strategies'
import { MemoryStateStore } from 'passport-outofband/stores'
import request from 'supertest'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EXPRESS, loginApp, type LoginApp } from '../support/login-app.js'
import { afterPassword, decide, loggedIn } from '../strategies/support.js'

let app: LoginApp
beforeEach(async () => {
  app = await loginApp()
})
afterEach(() => app.close())

describe('a factor that is missing or too old', () => {
  test('is told to API callers in the words of RFC 9470, as a problem of RFC 9457 [SC 5]', async () => {
    const agent = await loggedIn(app)
    await agent.post('/transfer').expect(200)
    await app.clock.advance(300_000)
    await agent.post('/transfer').expect(200)
    await app.clock.advance(1_000)
    const answer = await agent.post('/transfer').expect(401)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.headers['cache-control']).toBe('no-store')
    const challenge = answer.headers['www-authenticate']
    expect(challenge).toMatch(/^Bearer error="insufficient_user_authentication", /)
    expect(challenge).toContain('acr_values="push totp"')
    expect(challenge).toContain('max_age="300"')
    expect(JSON.parse(answer.text)).toMatchObject({
      status: 401,
      error: 'insufficient_user_authentication',
      acr_values: 'push totp',
      max_age: 300,
      step_up: '/step-up',
    })
  })

  test('sends a browser to the step-up page: with a way back for pages, without for forms [SC 5]', async () => {
    const agent = await afterPassword(app)
    const page = await agent.get('/transfer?to=bob&amount=5').set('accept', 'text/html').expect(303)
    expect(page.headers['location']).toBe('/step-up?return_to=%2Ftransfer%3Fto%3Dbob%26amount%3D5')
    const back = await agent.get(page.headers['location']!).expect(200)
    expect(back.body).toEqual({ back: '/transfer?to=bob&amount=5' })
    const form = await agent.post('/transfer').set('accept', 'text/html').expect(303)
    expect(form.headers['location']).toBe('/step-up')
  })

  test('is proved anew by stepping up, in this session and no other [SC 5]', async () => {
    const agent = await loggedIn(app)
    app.authy.code = '222222'
    const other = await afterPassword(app)
    await other.post('/login/code').send({ token: '222222' }).expect(200)
    await app.clock.advance(301_000)
    app.authy.code = '333333'
    await agent.post('/login/code').send({ token: '333333' }).expect(200)
    await agent.get('/transfer').expect(200)
    await other.get('/transfer').expect(401)
  })

  test('never offers a way back to another site [SC 78]', async () => {
    await app.close()
    app = await loginApp({
      more: (server, { assurances, runtime }) => {
        server.use(requireFactor({ assurances, runtime, anyOf: ['totp'], stepUpPath: '/step-up' }) as never)
      },
    })
    expect(await rawGet('/page')).toEqual({ status: 303, location: '/step-up?return_to=%2Fpage' })
    for (const path of ['//evil.example/page', '/%2Fevil.example', '/\\evil.example', '/%5cevil.example']) {
      expect(await rawGet(path)).toEqual({ status: 303, location: '/step-up' })
    }
  })
})

describe('who the factors belong to', () => {
  test('is compared with the user: a session kept across a change of user raises nobody', async () => {
    await app.close()
    app = await loginApp({
      more: (server, { passport }) => {
        const options = { keepSessionInfo: true }
        server.post('/switch', passport.authenticate('password', options) as never, (_req, res) => void res.json({}))
      },
    })
    const agent = await loggedIn(app)
    await agent.post('/switch').send({ username: 'bob', password: 'correct horse' }).expect(200)
    await agent.get('/private').expect(200)
    await agent.get('/transfer').expect(401)
  })

  test('is nobody without a user, without a session, and when the store fails [SC 7]', async () => {
    await request(app.url).get('/transfer').expect(401)
    const agent = await loggedIn(app)
    const get = app.state.get.bind(app.state)
    app.state.get = () => Promise.reject(new Error('the store is down'))
    await agent.get('/transfer').expect(500, { error: 'internal' })
    app.state.get = get
    await agent.get('/transfer').expect(200)
  })

  test('for bearer tokens is found where the application says', async () => {
    const id = (await app.assurances.begin({ subject: 'alice', factors: [{ factor: 'totp' }] })).id
    await app.close()
    const { assurances } = app
    const { runtime } = app
    app = await loginApp({
      more: (server) => {
        const assuranceOf = (req: { headers: Record<string, unknown> }) =>
          req.headers['authorization'] === 'Bearer token' ? id : undefined
        server.get(
          '/api',
          (req, _res, next) => {
            Reflect.set(req, 'user', { sub: req.headers['x-user'] })
            next()
          },
          requireFactor({
            assurances,
            runtime,
            anyOf: ['totp'],
            assuranceOf,
            subject: (user: { sub: string }) => user.sub,
          }) as never,
          (_req, res) => void res.json({}),
        )
      },
    })
    const get = () => request(app.url).get('/api')
    await get().set('authorization', 'Bearer token').set('x-user', 'alice').expect(200)
    await get().set('authorization', 'Bearer token').set('x-user', 'bob').expect(401)
    await get().set('authorization', 'Bearer other').set('x-user', 'alice').expect(401)
  })
})

describe.each(Object.entries(EXPRESS))('before all routes under %s', (_name, express) => {
  beforeEach(async () => {
    await app.close()
    app = await loginApp({
      express,
      more: (server, { passport, assurances, approvals, runtime }) => {
        server.use(
          requireFactor({
            assurances,
            runtime,
            anyOf: ['totp', 'push'],
            except: ['/sign-in', '/sign-in/code', '/sign-in/push', '/assets/*'],
            acr: 'urn:bank:two',
          }) as never,
        )
        const subject = (req: { user?: unknown }) => (req.user as { id: string } | undefined)?.id
        const find = async (id: string) => ({ id })
        const client = { tokens: { verify: async () => ({ valid: true }) } }
        const common = { assurances, subject, runtime }
        const code = { ...common, client, state: new MemoryStateStore(), authyId: () => 1 }
        const push = { ...common, approvals, reference: () => '1', message: 'Is it you?', waitingPath: '/wait' }
        passport.use('add-code', new AuthyTokenStrategy(code, find))
        passport.use('add-push', new OneTouchStrategy(push, find))
        server.post('/sign-in/code', passport.authenticate('add-code') as never, (_req, res) => void res.json({}))
        server.post('/sign-in/push', passport.authenticate('add-push') as never, (_req, res) => void res.json({}))
        server.post('/sign-in', passport.authenticate('password') as never, (_req, res) => void res.json({}))
        server.get('/sign-in', (_req, res) => void res.json({}))
        server.get('/assets/:name', (_req, res) => void res.json({}))
        server.get('/account', (_req, res) => void res.json({}))
      },
    })
  })

  test('a password alone opens only the exceptions; the paths are compared letter by letter [SC 1]', async () => {
    const agent = request.agent(app.url)
    await agent.post('/sign-in').send({ username: 'alice', password: 'correct horse' }).expect(200)
    await agent.get('/private').expect(200) // guarded by isAuthenticated() alone, and mounted before
    const refused = await agent.get('/account').expect(401)
    expect(refused.headers['www-authenticate']).toContain('acr_values="urn:bank:two"')
    await agent.get('/sign-in?next=1').expect(200)
    await agent.get('/assets/a.css').expect(200)
    for (const path of ['/SIGN-IN', '/sign-in/', '/assets', '/assets/%2e%2e', '/assets//a', '/assets/..%2faccount']) {
      await agent.get(path).expect(401)
    }
    expect((await rawGet('/assets/../account')).status).toBe(401)
  })

  test('the code of the user who is logged in opens the rest', async () => {
    const agent = request.agent(app.url)
    await agent.post('/sign-in/code').send({ token: '123456' }).expect(401)
    await agent.post('/sign-in').send({ username: 'alice', password: 'correct horse' }).expect(200)
    await agent.post('/sign-in/code').send({ token: '123456' }).expect(200)
    await agent.get('/account').expect(200)
  })

  test('so does a push, which leaves the user logged in while it waits', async () => {
    const agent = request.agent(app.url)
    await agent.post('/sign-in').send({ username: 'alice', password: 'correct horse' }).expect(200)
    await agent.post('/sign-in/push').expect(202)
    await agent.get('/private').expect(200)
    await agent.get('/account').expect(401)
    await decide(app, 'approved')
    await agent.post('/sign-in/push').expect(200)
    await agent.get('/account').expect(200)
  })
})

describe('safeReturnPath', () => {
  const good: readonly (readonly [string, string])[] = [
    ['/', '/'],
    ['/account', '/account'],
    ['/a/b?c=d&e=//f#g', '/a/b?c=d&e=//f#g'],
    ['/search?q=100%25', '/search?q=100%25'],
    ['/caf%C3%A9', '/caf%C3%A9'],
    ['/a/../b', '/b'],
  ]
  test.each(good)('takes %j', (value, expected) => {
    expect(safeReturnPath(value)).toBe(expected)
  })

  const bad: readonly unknown[] = [
    ...['//host', '/\\host', '\\\\host', '\\/host', 'https:host', 'https://host', 'javascript:alert(1)', 'host', ''],
    ...['/%2Fhost', '/%2fhost', '/%5Chost', '/%255Chost', '/%25252Fhost', '%2F%2Fhost', '/\t/host', '/\n/host'],
    ...['/%09/host', '/%0d%0aSet-Cookie:a=b', '/.//host', '/..//host', '/a/..//host', ' //host', '/\0', '/a\\b'],
    ...[
      'http:/host',
      '///host',
      `/${'a'.repeat(3000)}`,
      ['/account'],
      { toString: () => '/account' },
      null,
      undefined,
      7,
    ],
  ]
  test.each(bad.map((value) => [value]))('refuses %j [SC 78]', (value) => {
    expect(safeReturnPath(value)).toBeUndefined()
  })

  test('never leaves the site, whatever comes in [SC 78]', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '%2f',
      '%5c',
      '%25',
      ':',
      '.',
      'host',
      '@',
      '\t',
      '?',
      '#',
      'https:',
      '%0a',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const path = safeReturnPath(pieces.join(''))
        if (path === undefined) return
        for (const text of [path, decodeURIComponent(path.split(/[?#]/)[0]!)]) {
          expect(new URL(text, 'https://bank.example/login').origin).toBe('https://bank.example')
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

test('options are checked when it is made, by name', () => {
  const { assurances } = app
  const make = (options: object) => () => requireFactor({ assurances, ...options })
  expect(make({})).toThrow(/say what is needed/)
  expect(make({ maxAgeSeconds: 60 })).toThrow(/say what is needed/)
  expect(make({ anyof: ['totp'] })).toThrow(/did you mean 'anyOf'/)
  expect(make({ anyOf: [] })).toThrow(/at least one factor/)
  expect(make({ anyOf: ['TOTP'] })).toThrow(/lower-case/)
  expect(make({ anyOf: ['totp'], except: ['login'] })).toThrow(/give paths/)
  expect(make({ anyOf: ['totp'], stepUpPath: '//evil' })).toThrow(/path on this site/)
  const acrPolicies: Record<string, FactorPolicy> = { strong: { anyOf: ['push'] } }
  expect(make({ acr: 'strong', acrPolicies })).not.toThrow()
  expect(make({ acr: 'stronger', acrPolicies })).toThrow(/no policy of the name 'stronger'/)
  expect(make({ acr: 'strong', acrPolicies, anyOf: ['totp'] })).toThrow(/not both/)
})

// supertest and fetch tidy a path up before they send it.
async function rawGet(path: string): Promise<{ status: number; location: string | undefined }> {
  const { request: send } = await import('node:http')
  const { hostname, port } = new URL(app.url)
  return new Promise((resolve, reject) => {
    const outgoing = send({ hostname, port, path, headers: { accept: 'text/html' } }, (response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0, location: response.headers.location })
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

import type { ApprovalChannel, ChannelStatus } from 'passport-outofband'
import { OneTouchStrategy, OutOfBandStrategy } from 'passport-outofband/strategies'
import { Passport } from 'passport'
import request from 'supertest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loginApp, type LoginApp, type LoginAppOptions } from '../support/login-app.js'
import { phoneChannel } from '../support/phone-channel.js'
import { afterPassword, decide, loggedIn, startPush } from './support.js'

let app: LoginApp
beforeEach(async () => {
  app = await loginApp()
})
afterEach(() => app.close())

async function restart(options: LoginAppOptions): Promise<void> {
  await app.close()
  app = await loginApp(options)
}

describe('a pending push', () => {
  test('sends a browser to the waiting page with 303, even with failureRedirect', async () => {
    const agent = await afterPassword(app)
    const answer = await agent.post('/login/push').set('accept', 'text/html,*/*;q=0.8').expect(303)
    expect(answer.headers['location']).toMatch(/^\/login\/wait\/[\w-]{22}$/)
  })

  const callers: readonly (readonly [string, string])[] = [
    ['application/json', 'application/json'],
    ['anything', '*/*'],
    ['HTML with weight 0', 'text/html;q=0, application/json'],
  ]
  test.each(callers)('answers a caller that accepts %s with 202', async (_name, accept) => {
    const agent = await afterPassword(app)
    const answer = await agent.post('/login/push').set('accept', accept).expect(202)
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'retry-after': '2' })
    expect(Object.keys(answer.body as object).sort()).toEqual(['expiresAt', 'id', 'location', 'status'])
    expect(answer.headers['location']).toBe(answer.body.location)
  })

  test('reaches a custom callback with onPending: callback, and failureRedirect is not for it', async () => {
    const seen: unknown[] = []
    await restart({
      onPending: 'callback',
      more: (server, { passport }) => {
        server.post('/custom', (req, res, next) => {
          const done = (...values: unknown[]): void => {
            seen.push(values)
            res.status(202).json({})
          }
          ;(passport.authenticate('onetouch', { failureRedirect: '/nowhere' }, done) as Middleware)(req, res, next)
        })
      },
    })
    const agent = await afterPassword(app)
    await agent.post('/custom').expect(202)
    expect(seen).toMatchObject([[null, false, { pending: { status: 'pending' } }, 202]])
  })

  test('is asked for once, however often the same session posts', async () => {
    const agent = await afterPassword(app)
    const ids = new Set<string>()
    for (let i = 0; i < 5; i += 1) ids.add(await startPush(agent))
    expect(ids.size).toBe(1)
    expect(app.phone.asked).toHaveLength(1)
    expect(app.phone.messages).toEqual(['Sign in to the bank?'])
  })

  test('is never sent by a GET, a prefetch or another site [SC 32, 75]', async () => {
    const agent = await afterPassword(app)
    await agent.get('/login/push').expect(302)
    await agent.post('/login/push/api').set('sec-fetch-site', 'cross-site').expect(403)
    await agent.post('/login/push/api').set('origin', 'null').expect(403)
    expect(app.phone.asked).toEqual([])
  })

  test('of another session is refused with 429 and Retry-After', async () => {
    await startPush(await afterPassword(app))
    const other = await afterPassword(app)
    const refused = await other.post('/login/push/api').expect(429)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(app.phone.asked).toHaveLength(1)
  })

  test('comes to its end without approvals.run when the caller just asks again', async () => {
    await restart({ background: false })
    const agent = await afterPassword(app)
    await startPush(agent)
    app.phone.decide('approved')
    for (let i = 0; i < 30 && !(await isIn(agent)); i += 1) {
      await agent.post('/login/push/api')
      await app.clock.advance(500)
    }
    expect(await isIn(agent)).toBe(true)
  })
})

describe('an approved push', () => {
  test('logs in once: parallel and later requests find nothing [SC 29]', async () => {
    const agent = await afterPassword(app)
    await startPush(agent)
    await decide(app, 'approved')
    const answers = await Promise.all(Array.from({ length: 10 }, () => agent.post('/login/push/api')))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(await isIn(agent)).toBe(true)
  })

  test('is worth nothing to another session of the same user [SC 28]', async () => {
    const agent = await afterPassword(app)
    const id = await startPush(agent)
    const other = await afterPassword(app)
    await decide(app, 'approved')
    await other.get(`/approvals/${id}/status?wait=0`).expect(404)
    await other.post(`/approvals/${id}/cancel`).expect(404)
    await other.post('/login/push').send({ approval: id })
    expect(await isIn(other)).toBe(false)
    await agent.post('/login/push/api').expect(200)
  })

  test('is not redeemed for a user whom the application does not know', async () => {
    await restart({
      more: (server, { passport, approvals, assurances, runtime }) => {
        const options = {
          approvals,
          assurances,
          runtime,
          message: 'Hello?',
          waitingPath: '/wait',
          reference: () => '1',
        }
        passport.use('nobody', new OneTouchStrategy(options, async () => undefined))
        server.post('/nobody', passport.authenticate('nobody') as never, (_req, res) => void res.json({}))
      },
    })
    const agent = await afterPassword(app)
    await agent.post('/nobody').expect(202)
    await decide(app, 'approved')
    await agent.post('/nobody').expect(401)
    expect(await isIn(agent)).toBe(false)
  })

  test('counts from the moment of the decision, not of the login [SC 4]', async () => {
    const agent = await afterPassword(app)
    await startPush(agent)
    await decide(app, 'approved')
    const decidedBy = app.clock.now()
    await app.clock.advance(50_000)
    const { body } = await agent.post('/login/push/api').expect(200)
    expect(Date.parse(body.info.at as string)).toBeLessThanOrEqual(decidedBy)
  })

  test('steps a login up that has a code already', async () => {
    const agent = await loggedIn(app)
    await app.clock.advance(301_000)
    await agent.get('/transfer').expect(401)
    await startPush(agent)
    await decide(app, 'approved')
    await agent.post('/login/push/api').expect(200)
    await agent.get('/transfer').expect(200)
    const { body } = await agent.get('/me').expect(200)
    expect(body.assurance.factors).toHaveLength(3)
  })
})

describe('a push that is not approved', () => {
  test('is reported once; the next POST asks again when the pause is over [SC 31, 32]', async () => {
    const agent = await afterPassword(app)
    await startPush(agent)
    await decide(app, 'denied')
    const failed = await agent.post('/login/push').expect(302)
    expect(failed.headers['location']).toBe('/login/second?failed')
    await agent.post('/login/push/api').expect(429)
    expect(app.phone.asked).toHaveLength(1)
    await app.clock.advance(60_000)
    await agent.post('/login/push/api').expect(202)
    expect(app.phone.asked).toHaveLength(2)
    expect(await isIn(agent)).toBe(false)
  })

  const statuses = ['denied', 'expired', 'cancelled', 'failed', 'approve', 'APPROVED', 'ok', '', 'true', '__proto__']
  test.each(statuses)('but "%s" lets nobody in [SC 31]', async (status) => {
    const agent = await afterPassword(app)
    await startPush(agent)
    app.phone.decide(status as ChannelStatus)
    await app.clock.advance(700_000)
    await agent.post('/login/push/api')
    expect(await isIn(agent)).toBe(false)
  })

  test('because the provider is down ends in an error, and nobody gets in [SC 7]', async () => {
    app.phone.isDown = true
    const agent = await afterPassword(app)
    await agent.post('/login/push/api').expect(500, { error: 'internal' })
    expect(await isIn(agent)).toBe(false)
  })

  test('because the person has not enrolled is refused without a push', async () => {
    await restart({
      more: (server, { passport, approvals, assurances, runtime }) => {
        const options = { approvals, assurances, runtime, message: 'Hello?', waitingPath: '/wait' }
        passport.use('bare', new OneTouchStrategy(options, async () => ({ id: 'alice' })))
        server.post('/bare', passport.authenticate('bare') as never, (_req, res) => void res.json({}))
      },
    })
    await (await afterPassword(app)).post('/bare').expect(401)
    expect(app.phone.asked).toEqual([])
  })

  test('can be cancelled by its session', async () => {
    const agent = await afterPassword(app)
    const id = await startPush(agent)
    await agent.get(`/approvals/${id}/cancel`).expect(404)
    await agent.post(`/approvals/${id}/cancel`).set('sec-fetch-site', 'cross-site').expect(403)
    await agent.post(`/approvals/${id}/cancel`).expect(200)
    await agent.post(`/approvals/${id}/cancel`).expect(404)
    app.phone.decide('approved')
    await app.clock.advance(3_000)
    await agent.post('/login/push/api')
    expect(await isIn(agent)).toBe(false)
  })
})

describe('as a first factor', () => {
  beforeEach(async () => {
    await restart({
      saveUninitialized: true,
      more: (server, { passport, approvals, assurances, runtime }) => {
        const subject = (req: { body?: unknown }) => {
          const { username } = req.body as { username?: string }
          return username === undefined ? undefined : { subject: username, reference: '77' }
        }
        const options = { approvals, assurances, runtime, subject, message: 'Sign in?', waitingPath: '/wait/:id' }
        passport.use(new OutOfBandStrategy({ ...options, channel: 'authy' }, async (id) => ({ id })))
        const chain = passport.authenticate(['password', 'authy']) as never
        server.post('/push-first', chain, (req, res) => void res.json({ user: req.user }))
      },
    })
  })

  test('it comes after another strategy that failed, and logs in', async () => {
    const agent = request.agent(app.url)
    await agent.post('/push-first').send({ username: 'alice' }).expect(202)
    await decide(app, 'approved')
    await agent.post('/push-first').send({ username: 'alice' }).expect(200)
    expect(await isIn(agent)).toBe(true)
  })

  test('a session that somebody planted does not collect the answer [SC 39]', async () => {
    const planted = cookie(await request(app.url).get('/private'))
    await request(app.url).post('/push-first').set('cookie', planted).send({ username: 'alice' }).expect(202)
    await decide(app, 'approved')
    const again = await request(app.url).post('/push-first').set('cookie', planted).send({ username: 'alice' })
    expect(again.status).not.toBe(200)
    await request(app.url).get('/private').set('cookie', planted).expect(401)
  })

  test('an approval for one user is no login for another', async () => {
    const agent = request.agent(app.url)
    await agent.post('/push-first').send({ username: 'bob' }).expect(202)
    await decide(app, 'approved')
    const other = await agent.post('/push-first').send({ username: 'alice' })
    expect(other.status).not.toBe(200)
    expect(await isIn(agent)).toBe(false)
  })

  test('while a login waits for its second factor, nobody else can be named', async () => {
    const agent = await afterPassword(app)
    await agent.post('/push-first').send({ username: 'bob' }).expect(401)
    expect(app.phone.asked).toEqual([])
  })
})

test('a callback that throws ends in an error [SC 94]', async () => {
  const boom = (): never => {
    throw new Error('boom')
  }
  await restart({
    more: (server, { passport, approvals, assurances, runtime }) => {
      const good = { approvals, assurances, runtime, message: 'Sign in?', waitingPath: '/wait', reference: () => '1' }
      const broken = [{ message: boom }, { details: boom }, { reference: boom }, { subject: boom }]
      for (const [index, options] of broken.entries()) {
        const strategy = new OneTouchStrategy({ ...good, ...options }, async () => ({ id: 'alice' }))
        server.post(`/broken/${index}`, passport.authenticate(strategy) as never, (_req, res) => void res.json({}))
      }
    },
  })
  const agent = await afterPassword(app)
  for (const index of [0, 1, 2, 3]) await agent.post(`/broken/${index}`).expect(500, { error: 'internal' })
  expect(app.errors.map(({ message }) => message)).toEqual(['boom', 'boom', 'boom', 'boom'])
})

test('without a response to write on (Fastify), pending goes through fail', async () => {
  const { approvals } = app
  const options = { approvals, subject: () => 'carol', reference: () => '1', message: 'Sign in?', waitingPath: '/wait' }
  const strategy = new OneTouchStrategy(options, async (id) => ({ id }))
  const session = { regenerate: (done: () => void) => done(), save: (done: () => void) => done() }
  const outcome = await new Promise((resolve) => {
    const copy = Object.create(strategy) as OneTouchStrategy
    copy.fail = (challenge, status) => {
      resolve([challenge, status])
    }
    copy.error = resolve
    copy.authenticate({ method: 'POST', headers: {}, session })
  })
  expect(outcome).toMatchObject([{ pending: { status: 'pending', location: '/wait' } }, 202])
})

test('it fits passport.use, and options are checked when it is made', () => {
  const { approvals } = app
  const options = { approvals, message: 'Sign in?', waitingPath: '/wait' }
  const passport = new Passport()
  passport.use(new OneTouchStrategy(options, () => false))
  passport.use('other', new OutOfBandStrategy({ ...options, channel: phoneChannel('other') }, () => false))
  const make = (more: object) => () =>
    Reflect.construct(OneTouchStrategy, [{ ...options, ...more }, () => false]) as object
  expect(make({ waitingPath: '//evil.example' })).toThrow(/'waitingPath'/)
  expect(make({ onpending: 'callback' })).toThrow(/did you mean 'onPending'/)
  expect(make({ channel: {} as ApprovalChannel })).toThrow(/'channel'/)
  expect(make({ origins: ['https://app.example/'] })).toThrow(/'origins/)
})

type Middleware = (req: unknown, res: unknown, next: unknown) => void

async function isIn(agent: { get(url: string): request.Test }): Promise<boolean> {
  return (await agent.get('/private')).status === 200
}

function cookie(response: request.Response): string {
  const all = [response.headers['set-cookie'] ?? []].flat()
  return all.find((one) => one.startsWith('connect.sid='))?.split(';')[0] ?? ''
}

import fastifyCookie from '@fastify/cookie'
import { Authenticator } from '@fastify/passport'
import fastifySession from '@fastify/session'
import fastify, { type preValidationAsyncHookHandler, type RouteHandlerMethod } from 'fastify'
import { createApprovals, createAssurances, type Assurance } from 'passport-outofband'
import { AuthyClient, oneTouchChannel } from 'passport-outofband/authy'
import { currentAssurance } from 'passport-outofband/middleware'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { MemoryStateStore } from 'passport-outofband/stores'
import { AuthyTokenStrategy, OneTouchStrategy } from 'passport-outofband/strategies'
import request from 'supertest'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { waitFor } from '../support/wait-for.js'

let sandbox: Sandbox
let client: AuthyClient
beforeAll(async () => {
  sandbox = await startSandbox({ authy: { enrolAtOnce: true } })
  client = new AuthyClient({ apiKey: sandbox.authy.apiKey, baseUrl: sandbox.authy.url })
})
afterAll(() => sandbox.close())

let people = 0

/** An application on Fastify in which the out-of-band factors are first factors, for somebody who has enrolled just now. */
async function application() {
  people += 1
  const phone = `20155501${String(people).padStart(2, '0')}`
  const { authyId } = await client.users.create({ email: `ada${people}@example.com`, phone, countryCode: '1' })
  const user = { id: 'ada', authyId }
  const state = new MemoryStateStore()
  const assurances = createAssurances({ state })
  const approvals = createApprovals({ state, channels: [oneTouchChannel(client)] })
  const passport = new Authenticator()
  passport.registerUserSerializer(async ({ id }: typeof user) => id)
  passport.registerUserDeserializer(async () => user)
  const common = { assurances, subject: () => user.id, keep: ['cart'] }
  const login = { ...common, approvals, channel: 'authy', reference: () => authyId, message: 'Sign in?' }
  passport.use(new AuthyTokenStrategy({ ...common, client, state, authyId: () => authyId }, async () => user))
  passport.use(new OneTouchStrategy({ ...login, waitingPath: '/wait/:id' }, async () => user))

  const app = fastify()
  await app.register(fastifyCookie)
  await app.register(fastifySession, { secret: 'a secret of the tests that is long enough', cookie: { secure: false } })
  await app.register(passport.initialize())
  await app.register(passport.secureSession())
  app.get('/cart', async (req) => {
    Reflect.set(req.session, 'cart', ['tea'])
    Reflect.set(req.session, 'planted', true)
    return {}
  })
  app.post('/token', { preValidation: hook(passport.authenticate('authy-token')) }, async () => ({ in: true }))
  app.post(
    '/push',
    { preValidation: hook(passport.authenticate('onetouch', { successRedirect: '/me' })) },
    async () => ({}),
  )
  app.get('/me', async (req) => ({
    user: Reflect.get(req, 'user') as unknown,
    cart: Reflect.get(req.session, 'cart') as unknown,
    planted: Reflect.get(req.session, 'planted') as unknown,
    factors: factorsOf(await currentAssurance(req, assurances)),
  }))
  app.post('/out', async (req) => {
    await req.logout()
    return {}
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => app.close())
  return { url, user, authyId }
}

/** Typed as the handler of a route, which a hook may not be. */
function hook(authenticate: RouteHandlerMethod): preValidationAsyncHookHandler {
  return async function (this, req, reply) {
    await Reflect.apply(authenticate, this, [req, reply])
  }
}

function factorsOf(assurance: Assurance | undefined): readonly string[] | undefined {
  return assurance?.factors.map(({ factor }) => factor)
}

function cookieOf(response: { readonly headers: Record<string, unknown> }): string {
  return String(response.headers['set-cookie'])
}

async function codeOf(authyId: string): Promise<string> {
  const device = sandbox.phone.devices().find((candidate) => JSON.stringify(candidate).includes(authyId))
  if (!device) throw new Error('nobody of this Authy id has a device')
  return sandbox.phone.code(device.id).code
}

async function decide(decision: 'approve' | 'deny'): Promise<void> {
  await waitFor(() => sandbox.phone.pushes().some(({ status }) => status === 'pending'))
  const push = sandbox.phone.pushes().find(({ status }) => status === 'pending')
  await sandbox.phone[decision](push?.id ?? '')
}

test('a right code logs in under Fastify: the session gets a new id, and keeps what it may', async () => {
  const app = await application()
  const agent = request.agent(app.url)
  const before = cookieOf(await agent.get('/cart').expect(200))
  const entered = await agent
    .post('/token')
    .send({ token: await codeOf(app.authyId) })
    .expect(200, { in: true })
  expect(cookieOf(entered)).toMatch(/^sessionId=/)
  expect(cookieOf(entered)).not.toBe(before)
  const { body } = await agent.get('/me').expect(200)
  expect(body).toEqual({ user: app.user, cart: ['tea'], factors: ['totp'] })
})

test('a wrong code, a code of another shape and a request of another site are refused under Fastify', async () => {
  const app = await application()
  const agent = request.agent(app.url)
  await agent.post('/token').send({ token: '111111' }).expect(401)
  await agent
    .post('/token')
    .send({ token: ['123456'] })
    .expect(400)
  await agent
    .post('/token')
    .set('Sec-Fetch-Site', 'cross-site')
    .send({ token: await codeOf(app.authyId) })
    .expect(403)
  const { body } = await agent.get('/me').expect(200)
  expect(body).toEqual({ user: null })
})

test('many wrong codes end in 429 under Fastify, also for the right one', async () => {
  const app = await application()
  let status = 401
  for (let tries = 0; tries < 30 && status === 401; tries += 1) {
    ;({ status } = await request(app.url).post('/token').send({ token: '111111' }))
  }
  expect(status).toBe(429)
  await request(app.url)
    .post('/token')
    .send({ token: await codeOf(app.authyId) })
    .expect(429)
})

test('a push redirects a browser to its waiting page under Fastify, and logs in when it was approved', async () => {
  const app = await application()
  const agent = request.agent(app.url)
  const waiting = await agent.post('/push').set('Accept', 'text/html').expect(303)
  expect(waiting.headers['location']).toMatch(/^\/wait\/[\w-]+$/)
  expect((await agent.get('/me')).body).toEqual({ user: null })
  await decide('approve')
  await waitFor(async () => (await agent.post('/push').set('Accept', 'text/html')).headers['location'] === '/me')
  const { body } = await agent.get('/me').expect(200)
  expect(body).toMatchObject({ user: app.user, factors: ['push'] })
  await agent.post('/out').expect(200)
  expect((await agent.get('/me')).body).toMatchObject({ user: null })
})

test('a denied push is a 401 under Fastify, and an API caller gets 202 while it is pending', async () => {
  const app = await application()
  const agent = request.agent(app.url)
  await agent.post('/push').expect(202)
  await agent.post('/push').expect(202)
  await decide('deny')
  await waitFor(async () => (await agent.post('/push')).status === 401)
  expect((await agent.get('/me')).body).toEqual({ user: null })
})

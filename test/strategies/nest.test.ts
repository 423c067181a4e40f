import 'reflect-metadata'
import {
  Controller,
  type ExecutionContext,
  Get,
  HttpCode,
  HttpException,
  Module,
  Post,
  Req,
  UseGuards,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { AuthGuard, PassportStrategy } from '@nestjs/passport'
import type { NestExpressApplication } from '@nestjs/platform-express'
import session from 'express-session'
import passport from 'passport'
import { createApprovals, createAssurances } from 'passport-outofband'
import { AuthyClient, oneTouchChannel } from 'passport-outofband/authy'
import { currentAssurance, type HttpRequest } from 'passport-outofband/middleware'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { MemoryStateStore } from 'passport-outofband/stores'
import { AuthyTokenStrategy, OneTouchStrategy } from 'passport-outofband/strategies'
import request from 'supertest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitFor } from '../support/wait-for.js'

let sandbox: Sandbox
let app: NestExpressApplication
let url: string
const ada = { id: 'ada', authyId: '' }

beforeAll(async () => {
  sandbox = await startSandbox({ authy: { enrolAtOnce: true } })
  const client = new AuthyClient({ apiKey: sandbox.authy.apiKey, baseUrl: sandbox.authy.url })
  const created = await client.users.create({ email: 'ada@example.com', phone: '2015550123', countryCode: '1' })
  ada.authyId = created.authyId
  app = await NestFactory.create<NestExpressApplication>(moduleOf(client), { logger: false })
  app.use(session({ secret: 'a secret of the tests', resave: false, saveUninitialized: false }))
  app.use(passport.session())
  passport.serializeUser((_user, done) => done(null, ada.id))
  passport.deserializeUser((_id, done) => done(null, ada))
  await app.listen(0, '127.0.0.1')
  url = await app.getUrl()
})
afterAll(async () => {
  await app.close()
  await sandbox.close()
})

/** What an application on Nest writes with decorators. */
function moduleOf(client: AuthyClient) {
  const state = new MemoryStateStore()
  const assurances = createAssurances({ state })
  const approvals = createApprovals({ state, channels: [oneTouchChannel(client)] })
  const common = { assurances, subject: () => ada.id }

  class Codes extends PassportStrategy(AuthyTokenStrategy) {
    constructor() {
      super({ ...common, client, state, authyId: () => ada.authyId })
    }
    validate(subject: string) {
      return subject === ada.id && ada
    }
  }
  class Pushes extends PassportStrategy(OneTouchStrategy) {
    constructor() {
      super({
        ...common,
        approvals,
        channel: 'authy',
        reference: () => ada.authyId,
        message: 'Sign in?',
        waitingPath: '/wait/:id',
      })
    }
    validate() {
      return ada
    }
  }
  class Login {
    async in(req: HttpRequest) {
      return { factors: (await currentAssurance(req, assurances))?.factors.map(({ factor }) => factor) }
    }
    me(req: HttpRequest) {
      return { user: req.user ?? null }
    }
  }
  class LoginByPush extends Login {
    override in(req: HttpRequest) {
      return super.in(req)
    }
  }
  route(Login, 'in', [Post('token'), HttpCode(200), UseGuards(guardOf('authy-token'))])
  route(Login, 'me', [Get('me')])
  route(LoginByPush, 'in', [Post('push'), HttpCode(200), UseGuards(guardOf('onetouch'))])
  Controller()(Login)
  Controller('by')(LoginByPush)
  class App {}
  Module({ controllers: [Login, LoginByPush], providers: [Codes, Pushes] })(App)
  return App
}

/** The decorators of a route and of its parameter, without the syntax that this package's compiler options leave out. */
function route(controller: { readonly prototype: object }, name: string, decorators: readonly MethodDecorator[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(controller.prototype, name)
  for (const decorator of decorators) Reflect.apply(decorator, undefined, [controller.prototype, name, descriptor])
  Req()(controller.prototype, name, 0)
}

/** A guard that logs in, and answers with the status that the strategy gave: Nest's own answers all refusals with 401. */
function guardOf(strategy: string) {
  return class extends AuthGuard(strategy) {
    override async canActivate(context: ExecutionContext): Promise<boolean> {
      await super.canActivate(context)
      await this.logIn(context.switchToHttp().getRequest())
      return true
    }
    override handleRequest<T>(error: unknown, user: T, info: object, _context: unknown, status?: number): T {
      if (error instanceof Error) throw error
      if (!user) throw new HttpException(info, status ?? 401)
      return user
    }
  }
}

async function code(): Promise<string> {
  const [device] = sandbox.phone.devices()
  return sandbox.phone.code(device?.id ?? '').code
}

test('wrong codes are refused under Nest with the status of the strategy, and so is another site', async () => {
  const agent = request.agent(url)
  const { body } = await agent.post('/token').send({ token: '111111' }).expect(401)
  expect(body).toMatchObject({ reason: 'invalid' })
  await agent
    .post('/token')
    .send({ token: ['111111'] })
    .expect(400)
  await agent
    .post('/token')
    .set('Sec-Fetch-Site', 'cross-site')
    .send({ token: await code() })
    .expect(403)
  await agent.get('/me').expect(200, { user: null })
})

test('a right code logs in under Nest, with a new session', async () => {
  const agent = request.agent(url)
  const entered = await agent
    .post('/token')
    .send({ token: await code() })
    .expect(200, { factors: ['totp'] })
  expect(String(entered.headers['set-cookie'])).toMatch(/^connect\.sid=/)
  await agent.get('/me').expect(200, { user: ada })
})

test('an approved push logs in under Nest, after a browser was sent to its waiting page', async () => {
  const agent = request.agent(url)
  const waiting = await agent.post('/by/push').set('Accept', 'text/html').expect(303)
  expect(waiting.headers['location']).toMatch(/^\/wait\//)
  await decide('approve')
  await waitFor(async () => (await agent.post('/by/push')).status === 200)
  await agent.get('/me').expect(200, { user: ada })
})

// Last: after a denial nobody is asked for a while.
test('a push waits for an API caller under Nest, and a denied one is refused', async () => {
  const agent = request.agent(url)
  const pending = await agent.post('/by/push').expect(202)
  expect(pending.body).toMatchObject({ status: 'pending' })
  await decide('deny')
  await waitFor(async () => (await agent.post('/by/push')).status === 401)
  await agent.get('/me').expect(200, { user: null })
})

async function decide(decision: 'approve' | 'deny'): Promise<void> {
  await waitFor(() => sandbox.phone.pushes().some(({ status }) => status === 'pending'))
  const push = sandbox.phone.pushes().find(({ status }) => status === 'pending')
  await sandbox.phone[decision](push?.id ?? '')
}

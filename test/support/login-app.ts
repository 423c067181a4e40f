import express5 from 'express'
import express4 from 'express4'
import session, { MemoryStore } from 'express-session'
import { Passport } from 'passport'
import {
  createApprovals,
  createAssurances,
  createGuessLimits,
  type Approvals,
  type Assurances,
  type FactorPolicy,
  type Runtime,
  type StateStore,
} from 'passport-outofband'
import {
  approvalStatus,
  beginSecondFactor,
  cancelApproval,
  currentAssurance,
  deviceCookie,
  requireFactor,
  signOut,
  safeReturnPath,
} from 'passport-outofband/middleware'
import { AuthyTokenStrategy, OneTouchStrategy } from 'passport-outofband/strategies'
import { MemoryStateStore } from 'passport-outofband/stores'
import { Strategy } from 'passport-strategy'
import { listen, type Listening } from './listen.js'
import { phoneChannel, type PhoneChannel } from './phone-channel.js'
import { testRuntime, type TestClock } from './test-runtime.js'

export const EXPRESS = { 'Express 5': express5, 'Express 4': express4 }

export interface LoginAppOptions {
  readonly express?: typeof express5
  readonly policy?: FactorPolicy
  readonly resave?: boolean
  readonly saveUninitialized?: boolean
  readonly rolling?: boolean
  readonly unset?: 'destroy' | 'keep'
  readonly sessionStore?: session.Store
  readonly state?: StateStore
  readonly onPending?: 'respond' | 'callback'
  /** False: nobody runs approvals.run. */
  readonly background?: boolean
  /** More routes, before the error handler. */
  readonly more?: (app: express5.Express, parts: LoginParts) => void
}

export interface LoginParts {
  readonly passport: InstanceType<typeof Passport>
  readonly assurances: Assurances
  readonly approvals: Approvals
  readonly runtime: Runtime
}

export interface LoginApp extends LoginParts {
  readonly url: string
  readonly phone: PhoneChannel
  readonly state: StateStore
  readonly clock: TestClock
  readonly sessions: session.Store
  /** Codes that the provider takes, and how often it was asked. */
  readonly authy: { code: string; asked: number; answer: (() => Promise<{ valid: unknown }>) | undefined }
  readonly events: { readonly level: string; readonly details: object; readonly message: string }[]
  readonly errors: Error[]
  close(): Promise<void>
}

const users = ['alice', 'bob'].map((id) => ({ id, authyId: `${id.length}00` }))

class PasswordStrategy extends Strategy {
  name = 'password'
  override authenticate(req: express5.Request): void {
    const { username, password } = (req.body ?? {}) as Record<string, unknown>
    const user = users.find(({ id }) => id === username)
    if (user && password === 'correct horse') this.success(user)
    else this.fail('Wrong user name or password', 401)
  }
}

/** A bank in miniature: password, then a second factor; guarded with req.isAuthenticated() as existing apps are. */
export async function loginApp(options: LoginAppOptions = {}): Promise<LoginApp> {
  const express = options.express ?? express5
  const { runtime, clock } = testRuntime()
  const state = options.state ?? new MemoryStateStore({ runtime })
  const sessions = options.sessionStore ?? new MemoryStore()
  const phone = phoneChannel()
  const passport = new Passport()
  const assurances = createAssurances({ state, runtime })
  const approvals = createApprovals({ state, channels: [phone], runtime })
  const authy: LoginApp['authy'] = { code: '123456', asked: 0, answer: undefined }
  const events: LoginApp['events'] = []
  const log = (level: string) => (details: object, message: string) => void events.push({ level, details, message })
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  const errors: Error[] = []
  const findUser = async (subject: string) => users.find(({ id }) => id === subject) ?? false
  const policy = options.policy ?? { anyOf: ['totp', 'sms', 'call', 'push'] }

  passport.serializeUser((user, done) => {
    done(null, (user as { id: string }).id)
  })
  passport.deserializeUser((id: string, done) => {
    done(null, users.find((user) => user.id === id) ?? false)
  })
  passport.use(new PasswordStrategy())
  const common = { assurances, keep: ['cart'], runtime, logger }
  const client = {
    tokens: {
      async verify(_authyId: string, token: string) {
        authy.asked += 1
        if (authy.answer) return authy.answer()
        return token === authy.code ? { valid: true } : { valid: false, reason: 'invalid' }
      },
    },
  }
  const authyId = (subject: string) => users.find(({ id }) => id === subject)?.authyId
  const limits = createGuessLimits({ state, runtime })
  passport.use(new AuthyTokenStrategy({ ...common, client, state, limits, authyId }, findUser))
  const oneTouch = { ...common, approvals, message: 'Sign in to the bank?', waitingPath: '/login/wait/:id' }
  passport.use(
    new OneTouchStrategy(
      { ...oneTouch, reference: authyId, ...(options.onPending ? { onPending: options.onPending } : {}) },
      (subject, _proof, done) => {
        findUser(subject).then((user) => {
          done(null, user)
        }, done)
      },
    ),
  )

  const app = express()
  app.use(express.urlencoded({ extended: true }), express.json())
  app.use(
    session({
      secret: 'test',
      store: sessions,
      resave: options.resave ?? false,
      saveUninitialized: options.saveUninitialized ?? false,
      ...(options.rolling === undefined ? {} : { rolling: options.rolling }),
      ...(options.unset === undefined ? {} : { unset: options.unset }),
    }),
  )
  app.use(deviceCookie({ secure: false }), passport.session() as express5.RequestHandler)
  app.post('/cart', (req, res) => {
    Reflect.set(req.session, 'cart', ['book'])
    Reflect.set(req.session, 'secretNote', 'of the anonymous session')
    res.json({})
  })
  app.post(
    '/login',
    passport.authenticate('password', { session: false }) as express5.RequestHandler,
    beginSecondFactor({ assurances, policy, secondFactorPath: '/login/second', keep: ['cart'], runtime, logger }),
    (_req, res) => void res.json({ user: true }),
  )
  app.post('/login/code', passport.authenticate('authy-token') as express5.RequestHandler, (req, res) => {
    res.json({ user: req.user, info: req.authInfo })
  })
  app.post(
    '/login/code/redirect',
    passport.authenticate('authy-token', {
      successRedirect: '/private',
      failureRedirect: '/login/second',
    }) as express5.RequestHandler,
  )
  app.all(
    '/login/push',
    passport.authenticate('onetouch', { failureRedirect: '/login/second?failed' }) as express5.RequestHandler,
    (req, res) => {
      res.json({ user: req.user, info: req.authInfo })
    },
  )
  app.post('/login/push/api', passport.authenticate('onetouch') as express5.RequestHandler, (req, res) => {
    res.json({ user: req.user, info: req.authInfo })
  })
  app.get('/approvals/:id/status', approvalStatus({ approvals, runtime }))
  app.post('/approvals/:id/cancel', cancelApproval({ approvals }), (_req, res) => void res.json({}))
  app.post('/logout', signOut({ assurances, approvals, runtime, logger }), (_req, res) => void res.json({}))
  app.get('/private', (req, res) => {
    if (req.isAuthenticated()) res.json({ user: req.user, cart: Reflect.get(req.session, 'cart') ?? null })
    else res.status(401).json({})
  })
  app.get('/me', (req, res, next) => {
    currentAssurance(req, assurances).then((assurance) => res.json({ assurance: assurance ?? null }), next)
  })
  const fresh = { assurances, anyOf: ['push', 'totp'], maxAgeSeconds: 300, stepUpPath: '/step-up', runtime }
  app.all('/transfer', requireFactor(fresh), (_req, res) => void res.json({ done: true }))
  app.get('/step-up', (req, res) => void res.json({ back: safeReturnPath(req.query['return_to']) ?? null }))
  options.more?.(app, { passport, assurances, approvals, runtime })
  app.use((error: Error, _req: express5.Request, res: express5.Response, _next: express5.NextFunction) => {
    errors.push(error)
    if (!res.headersSent) res.status(500).json({ error: 'internal' })
  })
  const background = new AbortController()
  if (options.background !== false) void approvals.run({ signal: background.signal })
  const server: Listening = await listen(app)
  return {
    ...{ runtime, passport, state, assurances, approvals, phone, clock, sessions, authy, events, errors },
    url: server.url,
    close: async () => {
      background.abort()
      await server.close()
    },
  }
}

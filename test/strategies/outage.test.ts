import express from 'express'
import session from 'express-session'
import { Passport } from 'passport'
import {
  createApprovals,
  FactorUnavailableError,
  ProviderRejectedError,
  type ApprovalChannel,
} from 'passport-outofband'
import { MemoryStateStore } from 'passport-outofband/stores'
import { OneTouchStrategy } from 'passport-outofband/strategies'
import request from 'supertest'
import { expect, test } from 'vitest'

test("a provider's own status never becomes the answer of the application [SC 50, 94]", async () => {
  const refused = new ProviderRejectedError('Authy', { status: 404, providerCode: '60026' })
  const channel: ApprovalChannel = {
    name: 'authy',
    factor: 'push',
    amr: ['mca'],
    proof: 'approve',
    start: () => Promise.reject(refused),
    check: () => Promise.reject(refused),
  }
  const approvals = createApprovals({ state: new MemoryStateStore(), channels: [channel] })
  const passport = new Passport()
  const options = {
    approvals,
    subject: () => ({ subject: 'ada', reference: '1' }),
    message: 'In?',
    waitingPath: '/wait',
  }
  passport.use('push', new OneTouchStrategy(options, async () => ({ id: 'ada' })))
  const seen: unknown[] = []
  const app = express()
  app.set('env', 'production')
  app.use(session({ secret: 'of the test', resave: false, saveUninitialized: false }))
  app.post('/login', passport.authenticate('push') as express.RequestHandler)
  app.use((error: unknown, _req: express.Request, _res: express.Response, next: express.NextFunction) => {
    seen.push(error)
    next(error)
  })
  const answer = await request(app).post('/login').expect(503)
  expect(answer.text).not.toContain('60026')
  expect(seen).toEqual([expect.any(FactorUnavailableError)])
  expect(seen[0]).toHaveProperty('cause', refused)
})

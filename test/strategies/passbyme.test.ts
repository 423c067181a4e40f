import express from 'express'
import session, { MemoryStore } from 'express-session'
import { Passport } from 'passport'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApprovals, createAssurances } from 'passport-outofband'
import { currentAssurance } from 'passport-outofband/middleware'
import { PassByMeClient, passByMeChannel } from 'passport-outofband/passbyme'
import { PassByMeStrategy } from 'passport-outofband/strategies'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { MemoryStateStore } from 'passport-outofband/stores'
import { listen, type Listening } from '../support/listen.js'
import { waitFor } from '../support/wait-for.js'

let sandbox: Sandbox
let client: PassByMeClient
let server: Listening

beforeAll(async () => {
  sandbox = await startSandbox()
  const { url, pemFile, caFile, passphrase } = sandbox.passbyme
  client = new PassByMeClient({ baseUrl: url, cert: pemFile, passphrase, ca: caFile })
  const state = new MemoryStateStore()
  const channel = { ...passByMeChannel(client), pollIntervalMs: 50 }
  const approvals = createApprovals({ state, channels: [channel] })
  const assurances = createAssurances({ state })
  const passport = new Passport()
  passport.serializeUser((user, done) => done(null, (user as { id: string }).id))
  passport.deserializeUser((id: string, done) => done(null, { id }))
  passport.use(
    new PassByMeStrategy(
      {
        approvals,
        assurances,
        subject: (req) => {
          const id = String(req.headers['x-user'])
          return { subject: id, reference: `${id}@example.org` }
        },
        message: 'Sign in to the bank?',
        waitingPath: '/wait/:id',
      },
      (id) => ({ id }),
    ),
  )
  const app = express()
  app.use(session({ secret: 'x', store: new MemoryStore(), resave: false, saveUninitialized: false }))
  app.use(passport.session() as express.RequestHandler)
  app.post('/login', passport.authenticate('passbyme') as express.RequestHandler, (req, res, next) => {
    currentAssurance(req, assurances).then((assurance) => res.json({ user: req.user, assurance }), next)
  })
  server = await listen(app)
})
afterAll(async () => {
  client.close()
  await server.close()
  await sandbox.close()
})

function browser(user: string) {
  let cookie = ''
  return async () => {
    const response = await fetch(`${server.url}/login`, { method: 'POST', headers: { cookie, 'x-user': user } })
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    const text = await response.text()
    return {
      status: response.status,
      cookie,
      body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
    }
  }
}

it('shows the code that the phone shows, and lets in who approves, under a new session id [SC 34, 39]', async () => {
  const login = browser('alice')
  const pending = await login()
  expect(pending.status).toBe(202)
  const push = await sandbox.phone.waitForPush({ recipient: 'alice@example.org' })
  expect(pending.body).toMatchObject({ status: 'pending', code: push.compareCode })
  expect(push.message).toBe('Sign in to the bank?')
  await sandbox.phone.approve(push.id)
  const done = await waitFor(async () => {
    const answer = await login()
    return answer.status === 200 ? answer : undefined
  })
  expect(done.cookie).not.toBe(pending.cookie)
  expect(done.body['user']).toEqual({ id: 'alice' })
  expect(JSON.stringify(done.body['assurance'])).toContain('"factor":"passbyme"')
})

it('lets nobody in who denies, and sends no second push by itself [SC 31, 32]', async () => {
  const login = browser('bob')
  await login()
  await sandbox.phone.deny({ recipient: 'bob@example.org' })
  await waitFor(async () => (await login()).status === 401)
  expect(sandbox.phone.pushes({ recipient: 'bob@example.org' })).toHaveLength(1)
})

it('lets nobody in by the approval of somebody else [SC 30]', async () => {
  const login = browser('carol')
  expect((await login()).status).toBe(202)
  sandbox.passbyme.quirks.change = (info) => ({ ...info, recipients: [{ userId: 'mallory', status: 'APPROVED' }] })
  for (let round = 0; round < 5; round += 1) expect((await login()).status).toBe(202)
  sandbox.passbyme.quirks.change = undefined
})

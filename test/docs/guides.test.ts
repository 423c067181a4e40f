import { readFileSync } from 'node:fs'
import { AuthyClient } from 'passport-outofband/authy'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import request from 'supertest'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { listen, type Listening } from '../support/listen.js'
import { waitFor } from '../support/wait-for.js'

let sandbox: Sandbox
let server: Listening
let stop: () => void

// The app of the guide, as it stands there, on the sandbox and the real client.
beforeAll(async () => {
  sandbox = await startSandbox()
  vi.stubEnv('AUTHY_URL', sandbox.authy.url)
  vi.stubEnv('AUTHY_API_KEY', sandbox.authy.apiKey)
  const client = new AuthyClient({ apiKey: sandbox.authy.apiKey, baseUrl: sandbox.authy.url })
  const guide = await import('./two-phase-login.snippet.js')
  const { authyId } = await client.users.create({ email: 'alice@example.com', phone: '911 234 567', countryCode: 'PT' })
  await sandbox.phone.enrol({ phone: '+351911234567' })
  guide.users[0]!.authyId = authyId
  guide.app.get('/private', (req, res) => void res.sendStatus(req.isAuthenticated() ? 200 : 401))
  stop = () => guide.background.abort()
  server = await listen(guide.app)
})

afterAll(async () => {
  stop()
  vi.unstubAllEnvs()
  await server.close()
  await sandbox.close()
})

const password = { username: 'alice', password: 'correct horse' }

test.each(['two-phase-login', 'step-up'])(
  'the code of docs/%s.md is the code that is compiled and run here',
  (name) => {
    const guide = readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')
    const code = readFileSync(new URL(`${name}.snippet.ts`, import.meta.url), 'utf8')
    expect(/```ts\n(.*?)```/s.exec(guide)?.[1]).toBe(code)
  },
)

test('a push on the phone of the sandbox finishes the login of the guide', async () => {
  const agent = request.agent(server.url)
  const first = await agent.post('/login').type('form').set('accept', 'text/html').send(password).expect(303)
  expect(first.headers['location']).toBe('/login/second-factor')
  await agent.get('/private').expect(401)
  const pending = await agent.post('/login/push').set('accept', 'text/html').expect(303)
  const id = pending.headers['location']!.split('/').pop()!
  const push = await waitFor(() => sandbox.phone.pushes().find(({ status }) => status === 'pending'))
  expect(push.message).toBe('Sign in to the bank?')
  const waiting = agent.get(`/approvals/${id}/status`).expect(200)
  await Promise.all([waiting, sandbox.phone.approve(push.id)])
  expect((await waiting).body).toMatchObject({ status: 'approved' })
  const done = await agent.post('/login/push').set('accept', 'text/html').expect(302)
  expect(done.headers['location']).toBe('/')
  await agent.get('/private').expect(200)
  await agent.post('/logout').expect(302)
  await agent.get('/private').expect(401)
})

test('a code of the sandbox finishes the login of the guide, once', async () => {
  const device = sandbox.phone.devices().find(({ showsCode }) => showsCode)!
  const { code } = sandbox.phone.code(device.id)
  const agent = request.agent(server.url)
  await agent.post('/login').type('form').send(password).expect(202)
  const wrong = await agent.post('/login/code').type('form').send({ token: '1111111' }).expect(302)
  expect(wrong.headers['location']).toBe('/login/second-factor')
  const right = await agent.post('/login/code').type('form').send({ token: code }).expect(302)
  expect(right.headers['location']).toBe('/')
  await agent.get('/private').expect(200)
  const other = request.agent(server.url)
  await other.post('/login').type('form').send(password).expect(202)
  await other.post('/login/code').type('form').send({ token: code })
  await other.get('/private').expect(401)
})

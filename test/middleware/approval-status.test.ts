import { get as httpGet, type ClientRequest, type IncomingMessage } from 'node:http'
import { MemoryStore } from 'express-session'
import request from 'supertest'
import { afterEach, describe, expect, test } from 'vitest'
import { EXPRESS, loginApp, type LoginApp, type LoginAppOptions } from '../support/login-app.js'
import { waitFor } from '../support/wait-for.js'
import { loggedIn, password } from '../strategies/support.js'

let app: LoginApp
const streams: ClientRequest[] = []
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.destroy()
  await app.close()
})

/** Counts what is done to sessions. */
class CountingStore extends MemoryStore {
  readonly writes: string[] = []
  override set(id: string, session: never, callback?: (error?: unknown) => void): void {
    this.writes.push(`set ${id}`)
    super.set(id, session, callback)
  }
  override touch(id: string, session: never, callback?: () => void): void {
    this.writes.push(`touch ${id}`)
    super.touch(id, session, callback)
  }
  override destroy(id: string, callback?: (error?: unknown) => void): void {
    this.writes.push(`destroy ${id}`)
    super.destroy(id, callback)
  }
}

/** A browser whose cookie the test knows, with a push that is pending. */
async function pendingPush(): Promise<{ id: string; cookie: string }> {
  const first = await request(app.url).post('/login').send(password).expect(202)
  const cookie = cookieOf(first)
  const { body } = await request(app.url).post('/login/push/api').set('cookie', cookie).expect(202)
  return { id: (body as { id: string }).id, cookie }
}

function cookieOf(response: request.Response): string {
  const all = [response.headers['set-cookie'] ?? []].flat()
  return all.map((one) => one.split(';')[0]).join('; ')
}

interface Stream {
  readonly response: IncomingMessage
  text(): string
  ended(): boolean
  readonly outgoing: ClientRequest
}

async function events(id: string, cookie: string, headers: Record<string, string> = {}): Promise<Stream> {
  let text = ''
  let ended = false
  const all = { accept: 'text/event-stream', cookie, ...headers }
  const outgoing = httpGet(`${app.url}/approvals/${id}/status`, { headers: all })
  streams.push(outgoing)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve)
    outgoing.on('error', reject)
  })
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => (text += chunk))
  response.on('close', () => (ended = true))
  response.on('error', () => undefined)
  return { response, text: () => text, ended: () => ended, outgoing }
}

describe.each(Object.entries(EXPRESS))('under %s', (_name, express) => {
  test('an event stream tells the state, gives signs of life, and ends with the decision [SC 38]', async () => {
    app = await loginApp({ express })
    const { id, cookie } = await pendingPush()
    const stream = await events(id, cookie)
    expect(stream.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
    })
    await waitFor(() => stream.text().includes('event: status\nid: pending\ndata: {"status":"pending","expiresAt":'))
    await advanceUntil(() => stream.text().includes(': still there\n\n'), 15_100)
    app.phone.decide('approved')
    await advanceUntil(() => stream.ended(), 5_000)
    expect(stream.text()).toContain('event: status\nid: approved\n')
    const again = await events(id, cookie, { 'last-event-id': 'approved' })
    expect(again.response.statusCode).toBe(204)
  })
})

test('an event stream that reconnects is not told again what it knows', async () => {
  app = await loginApp()
  const { id, cookie } = await pendingPush()
  const stream = await events(id, cookie, { 'last-event-id': 'pending' })
  await waitFor(() => stream.text().includes(': still there'))
  expect(stream.text()).not.toContain('event:')
})

test('an event stream ends when the question does [SC 38]', async () => {
  app = await loginApp()
  const { id, cookie } = await pendingPush()
  const stream = await events(id, cookie)
  await advanceUntil(() => stream.ended(), 130_000)
  expect(stream.text()).toContain('id: expired')
})

test('a long poll answers when the decision is there, or after its time', async () => {
  app = await loginApp()
  const { id, cookie } = await pendingPush()
  const poll = (query = '') => request(app.url).get(`/approvals/${id}/status${query}`).set('cookie', cookie)
  const now = await poll('?wait=0').expect(200)
  expect(Object.keys(now.body as object).sort()).toEqual(['expiresAt', 'status'])
  expect(now.body).toMatchObject({ status: 'pending' })
  let answer: request.Response | undefined
  poll()
    .then((response) => (answer = response))
    .catch(() => undefined)
  await advanceUntil(() => answer, 26_000)
  expect(answer?.body).toMatchObject({ status: 'pending' })
  expect(answer?.headers['retry-after']).toBe('1')
  app.phone.decide('denied')
  await app.clock.advance(5_000)
  await poll().expect(200)
  expect((await poll()).body).toMatchObject({ status: 'denied' })
})

describe('the waiting request lets go of its session', () => {
  const settings: LoginAppOptions[] = []
  for (const resave of [true, false]) {
    for (const saveUninitialized of [true, false]) {
      for (const rolling of [true, false]) settings.push({ resave, saveUninitialized, rolling })
    }
  }
  settings.push({ resave: true, saveUninitialized: true, unset: 'destroy' })

  test.each(settings)('saves nothing, touches nothing, sets no cookie: %j', async (options) => {
    const store = new CountingStore()
    app = await loginApp({ ...options, sessionStore: store })
    const { id, cookie } = await pendingPush()
    store.writes.length = 0
    const polled = await request(app.url).get(`/approvals/${id}/status?wait=0`).set('cookie', cookie).expect(200)
    const missed = await request(app.url).get('/approvals/other/status').set('cookie', cookie).expect(404)
    const stream = await events(id, cookie)
    app.phone.decide('approved')
    await advanceUntil(() => stream.ended(), 5_000)
    expect(store.writes).toEqual([])
    for (const headers of [polled.headers, missed.headers, stream.response.headers]) {
      expect(headers).not.toHaveProperty('set-cookie')
    }
  })

  test.each([true, false])('so that a logout in another tab stays one (resave: %s)', async (resave) => {
    app = await loginApp({ resave, saveUninitialized: resave })
    const agent = await loggedIn(app)
    const { body } = await agent.post('/login/push/api').expect(202)
    const sid = cookieOf(await agent.get('/private'))
    const waiting = agent.get(`/approvals/${(body as { id: string }).id}/status`)
    let answered = false
    waiting.then(
      () => (answered = true),
      () => (answered = true),
    )
    await waitFor(() => app.clock.sleeping > 1)
    await agent.post('/logout').expect(200)
    await advanceUntil(() => answered, 26_000)
    await agent.get('/private').expect(401)
    await request(app.url).get('/private').set('cookie', sid).expect(401)
    const sessions = await new Promise<object>((resolve) => {
      app.sessions.all?.((_error, all) => {
        resolve(all ?? {})
      })
    })
    expect(JSON.stringify(sessions)).not.toContain('alice')
  })
})

test('another session with the same id, a guessed id and no session get the same 404 [SC 28]', async () => {
  app = await loginApp()
  const { id } = await pendingPush()
  const other = cookieOf(await request(app.url).post('/login').send(password))
  const answers = await Promise.all([
    request(app.url).get(`/approvals/${id}/status`).set('cookie', other),
    request(app.url)
      .get(`/approvals/${'A'.repeat(22)}/status`)
      .set('cookie', other),
    request(app.url).get(`/approvals/${id}/status`),
    request(app.url).get('/approvals/__proto__/status').set('cookie', other),
  ])
  for (const answer of answers) {
    expect(answer.status).toBe(404)
    expect(answer.text).toBe(answers[0].text)
  }
})

test('a session may wait so often and no more [SC 38, 100]', async () => {
  app = await loginApp()
  const { id, cookie } = await pendingPush()
  const waiting = await Promise.all(Array.from({ length: 6 }, () => events(id, cookie)))
  const refused = await request(app.url).get(`/approvals/${id}/status`).set('cookie', cookie).expect(429)
  expect(refused.headers['retry-after']).toBe('2')
  waiting[0]!.outgoing.destroy()
  await waitFor(async () => {
    const answer = await request(app.url).get(`/approvals/${id}/status?wait=0`).set('cookie', cookie)
    return answer.status === 200
  })
})

test('asking without waiting is limited too [SC 38]', async () => {
  app = await loginApp()
  const { id, cookie } = await pendingPush()
  const ask = () => request(app.url).get(`/approvals/${id}/status?wait=0`).set('cookie', cookie)
  for (let i = 0; i < 60; i += 1) await ask().expect(200)
  await ask().expect(429)
  await app.clock.advance(10_000)
  await ask().expect(200)
})

test('abandoned requests leave no timer and no socket behind [SC 38]', async () => {
  app = await loginApp()
  const { id, cookie } = await pendingPush()
  const before = app.clock.sleeping
  for (let round = 0; round < 10; round += 1) {
    const waiting = await Promise.all(Array.from({ length: 5 }, () => events(id, cookie)))
    for (const { outgoing } of waiting) outgoing.destroy()
    await app.clock.advance(1_000)
    await waitFor(() => app.clock.sleeping <= before, { message: `timers are left: ${app.clock.sleeping} > ${before}` })
  }
  app.phone.decide('approved')
  await app.clock.advance(5_000)
  await request(app.url).get(`/approvals/${id}/status?wait=0`).set('cookie', cookie).expect(200)
})

test('a store that fails ends in an error, or ends the stream: never in a hanging request [SC 94]', async () => {
  app = await loginApp()
  const { id, cookie } = await pendingPush()
  const stream = await events(id, cookie)
  await waitFor(() => stream.text().includes('pending'))
  app.state.get = () => Promise.reject(new Error('the store is down'))
  await request(app.url).get(`/approvals/${id}/status`).set('cookie', cookie).expect(500, { error: 'internal' })
  await advanceUntil(() => stream.ended(), 30_000)
  expect(stream.text()).not.toContain('approved')
})

/** Moves the time on until the condition holds: what goes over sockets needs real time in between. */
async function advanceUntil(condition: () => unknown, ms: number): Promise<void> {
  for (let left = ms; left > 0 && !condition(); left -= 500) {
    await app.clock.advance(500)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await waitFor(condition)
}

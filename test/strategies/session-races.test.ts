import request from 'supertest'
import { afterEach, describe, expect, test } from 'vitest'
import { loginApp, type LoginApp } from '../support/login-app.js'
import { waitFor } from '../support/wait-for.js'
import { decide, password } from './support.js'

let app: LoginApp
afterEach(() => app.close())

interface Browser {
  cookie: string
  post(path: string, body?: object): Promise<request.Response>
  get(path: string): Promise<request.Response>
}

/** A browser tab whose cookie the test keeps, or doesn't renew: two tabs send the same one at the same time. */
function browser(): Browser {
  const sent = (response: request.Response): request.Response => {
    const all = (response.headers['set-cookie'] ?? []) as unknown as string[]
    const session = all.find((one) => one.startsWith('connect.sid='))?.split(';')[0]
    if (session !== undefined) self.cookie = session
    return response
  }
  const self: Browser = {
    cookie: '',
    post: async (path, body = {}) => sent(await request(app.url).post(path).set('cookie', self.cookie).send(body)),
    get: async (path) => sent(await request(app.url).get(path).set('cookie', self.cookie)),
  }
  return self
}

async function loggedIn(): Promise<Browser> {
  const tab = browser()
  await tab.post('/login', password)
  expect((await tab.post('/login/code', { token: '123456' })).status).toBe(200)
  return tab
}

/** A second tab of the same browser, as it is now. */
function tabOf(first: Browser): Browser {
  return Object.assign(browser(), { cookie: first.cookie })
}

/** Holds the calls of a method until the test lets them go. */
function held(of: object, name: string) {
  const original: unknown = Reflect.get(of, name)
  let release = (): void => undefined
  let called = false
  const gate = new Promise<void>((resolve) => (release = resolve))
  Reflect.set(of, name, async (...args: unknown[]): Promise<unknown> => {
    called = true
    await gate
    return typeof original === 'function' ? (Reflect.apply(original, of, args) as unknown) : undefined
  })
  return { called: () => called, release, restore: () => Reflect.set(of, name, original) }
}

/** The session under an old id: opened again, it would show the private page. */
async function opens(cookie: string): Promise<boolean> {
  return (await request(app.url).get('/private').set('cookie', cookie)).status === 200
}

describe.each([{ resave: false }, { resave: true }])('with resave: $resave', (options) => {
  test('a push that is sent while another tab signs out does not bring the session back [SC 77]', async () => {
    app = await loginApp(options)
    const tab = await loggedIn()
    const old = tab.cookie
    const start = held(app.phone, 'start')
    const pushing = tabOf(tab).post('/login/push/api')
    await waitFor(start.called)
    expect((await tab.post('/logout')).status).toBe(200)
    start.release()
    expect((await pushing).status).toBe(401)
    expect(await opens(old)).toBe(false)
  })

  test('of two tabs that finish a step-up the slower does not bring the old session back [SC 39, 77]', async () => {
    app = await loginApp(options)
    const tab = await loggedIn()
    const old = tab.cookie
    expect((await tab.post('/login/push/api')).status).toBe(202)
    await decide(app, 'approved')
    const status = held(app.approvals, 'status')
    const slower = tabOf(tab).post('/login/push/api')
    await waitFor(status.called)
    status.restore()
    const faster = tabOf(tab)
    expect((await faster.post('/login/push/api')).status).toBe(200)
    status.release()
    expect((await slower).status).toBe(401)
    expect(await opens(old)).toBe(false)
    expect(await opens(faster.cookie)).toBe(true)
  })

  test('withdrawing a push while another tab signs out does not bring the session back [SC 77]', async () => {
    app = await loginApp(options)
    const tab = await loggedIn()
    const old = tab.cookie
    const { id } = (await tab.post('/login/push/api')).body as { id: string }
    const cancel = held(app.phone, 'cancel')
    const withdrawing = tabOf(tab).post(`/approvals/${id}/cancel`)
    await waitFor(cancel.called)
    expect((await tab.post('/logout')).status).toBe(200)
    cancel.release()
    expect((await withdrawing).status).toBe(404)
    expect(await opens(old)).toBe(false)
  })
})

test('a provider that hangs does not keep anybody signed in [SC 7]', async () => {
  app = await loginApp()
  const tab = await loggedIn()
  const old = tab.cookie
  expect((await tab.post('/login/push/api')).status).toBe(202)
  const cancel = held(app.phone, 'cancel')
  const leaving = tab.post('/logout')
  await waitFor(cancel.called)
  expect(await opens(old)).toBe(false)
  cancel.release()
  expect((await leaving).status).toBe(200)
})

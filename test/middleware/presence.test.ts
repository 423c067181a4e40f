import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import express from 'express'
import session, { MemoryStore } from 'express-session'
import { Passport } from 'passport'
import { afterEach, describe, expect, it, test } from 'vitest'
import { createApprovals, createAssurances, type StateStore } from 'passport-outofband'
import { ActiveconnectClient, activeconnectChannel } from 'passport-outofband/activeconnect'
import { presence, signOut, type PresenceOptions } from 'passport-outofband/middleware'
import { ActiveconnectStrategy } from 'passport-outofband/strategies'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { MemoryStateStore } from 'passport-outofband/stores'
import { listen } from '../support/listen.js'
import { waitFor } from '../support/wait-for.js'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface World {
  readonly sandbox: Sandbox
  /** How often the service was asked for a status since the login. */
  readonly asked: () => number
  /** Moves the time of `presence` only. */
  readonly later: (ms: number) => void
  readonly state: StateStore
  readonly get: (path?: string, accept?: string) => Promise<Response>
  readonly post: (path: string) => Promise<Response>
  readonly device: () => string
  readonly push: () => string
}

async function world(over: Partial<PresenceOptions> = {}): Promise<World> {
  const sandbox = await startSandbox()
  const { url: baseUrl, applicationId, applicationSecret } = sandbox.activeconnect
  const client = new ActiveconnectClient({ baseUrl, applicationId, applicationSecret })
  let offset = 0
  let asked = 0
  const state = new MemoryStateStore()
  const channel = activeconnectChannel(client)
  const counted = {
    ...channel,
    pollIntervalMs: 50,
    presence: async (...args: Parameters<typeof channel.presence>) => {
      asked += 1
      return channel.presence(...args)
    },
  }
  const approvals = createApprovals({ state, channels: [counted] })
  const assurances = createAssurances({ state })
  const passport = new Passport()
  passport.serializeUser((user, done) => done(null, (user as { id: string }).id))
  passport.deserializeUser((id: string, done) => done(null, { id }))
  passport.use(
    new ActiveconnectStrategy(
      {
        approvals,
        assurances,
        subject: () => ({ subject: 'alice', reference: 'token-of-alice' }),
        message: 'Sign in?',
        waitingPath: '/wait/:id',
      },
      (id) => ({ id }),
    ),
  )
  const app = express()
  app.use(session({ secret: 'x', store: new MemoryStore(), resave: false, saveUninitialized: false }))
  app.use(passport.session() as express.RequestHandler)
  app.use(
    presence({
      approvals,
      assurances,
      state,
      except: ['/logout', '/login'],
      runtime: { now: () => Date.now() + offset },
      ...over,
    }),
  )
  app.post('/login', passport.authenticate('activeconnect') as express.RequestHandler, (_req, res) => void res.json({}))
  app.get(
    '/private',
    (req, res) => void res.status(req.isAuthenticated() ? 200 : 401).json({ in: req.isAuthenticated() }),
  )
  app.post('/logout', signOut({ assurances, approvals }), (_req, res) => void res.json({}))
  const server = await listen(app)
  const running = new AbortController()
  const background = approvals.run({ signal: running.signal })
  closers.push(async () => {
    running.abort()
    await background
    await server.close()
    await sandbox.close()
  })

  let cookie = ''
  const send = async (method: string, path: string, accept = 'application/json'): Promise<Response> => {
    const response = await fetch(server.url + path, { method, headers: { cookie, accept }, redirect: 'manual' })
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return response
  }
  await client.users.add('token-of-alice')
  await sandbox.phone.enrol(await client.users.registrationLink('token-of-alice'))
  expect((await send('POST', '/login')).status).toBe(202)
  const push = await sandbox.phone.approve({ recipient: 'token-of-alice' })
  await waitFor(async () => (await send('POST', '/login')).status === 200)
  return {
    sandbox,
    state,
    asked: () => asked,
    later: (ms) => {
      offset += ms
    },
    get: (path = '/private', accept) => send('GET', path, accept),
    post: (path) => send('POST', path),
    device: () => sandbox.phone.devices().find(({ owner }) => owner === 'token-of-alice')!.id,
    push: () => push.id,
  }
}

async function errorOf(response: Response): Promise<unknown> {
  return [response.status, ((await response.json()) as { error?: string }).error]
}

describe('presence', () => {
  it('suspends when the phone is carried away, and resumes when it comes back', async () => {
    const { sandbox, get, later, device } = await world()
    expect((await get()).status).toBe(200)
    sandbox.phone.setPresence(device(), 'away')
    later(10_001)
    expect(await errorOf(await get())).toEqual([403, 'suspended'])
    sandbox.phone.setPresence(device(), 'near')
    later(10_001)
    expect((await get()).status).toBe(200)
  })

  test.each(['close', 'administrator'] as const)(
    'ends the local session when it was ended from outside (%s), and says so [SC 91], and says so [SC 91]',
    async (how) => {
      const events: unknown[] = []
      const note = (event: unknown) => void events.push(event)
      subscribe('passport-outofband:factor', note)
      closers.push(async () => void unsubscribe('passport-outofband:factor', note))
      const { sandbox, get, later, push } = await world()
      expect((await get()).status).toBe(200)
      if (how === 'close') await sandbox.phone.act(push(), 'close')
      else sandbox.activeconnect.closeByAdministrator('token-of-alice')
      later(10_001)
      expect(await errorOf(await get())).toEqual([401, 'session_ended'])
      expect((await get()).status).toBe(401)
      expect(events).toContainEqual(expect.objectContaining({ subject: 'alice', result: 'ended', reason: 'presence' }))
    },
  )

  it('shares one check between many requests, and lets none wait while it is young', async () => {
    const { get, asked, later } = await world()
    await Promise.all(Array.from({ length: 20 }, () => get()))
    expect(asked()).toBe(1)
    later(4000)
    await Promise.all(Array.from({ length: 20 }, () => get()))
    expect(asked()).toBe(1)
  })

  it('checks beside the requests in the second half of the interval', async () => {
    const { sandbox, get, asked, later } = await world()
    await get()
    sandbox.faults.add({ kind: 'hang', provider: 'activeconnect' })
    later(6000)
    // The provider hangs, and the request doesn't wait for it.
    expect((await get()).status).toBe(200)
    await waitFor(() => asked() === 2)
  })

  it('denies while the provider can not be asked, and ends the login after three failures in a row [SC 7]', async () => {
    const { sandbox, get, later } = await world()
    await get()
    sandbox.faults.add({ kind: 'error', status: 500, provider: 'activeconnect' })
    later(10_001)
    expect(await errorOf(await get())).toEqual([503, 'presence_unknown'])
    expect(await errorOf(await get())).toEqual([503, 'presence_unknown'])
    sandbox.faults.clear()
    later(10_001)
    expect((await get()).status).toBe(200)
    sandbox.faults.add({ kind: 'error', status: 500, provider: 'activeconnect' })
    for (const status of [503, 503, 401]) {
      later(10_001)
      expect((await get()).status).toBe(status)
    }
  })

  it('ends a login that was suspended for too long', async () => {
    const { sandbox, get, later, device } = await world()
    sandbox.phone.setPresence(device(), 'away')
    expect(await errorOf(await get())).toEqual([403, 'suspended'])
    later(901_000)
    expect(await errorOf(await get())).toEqual([401, 'session_ended'])
  })

  it('ends it at the first sight where the application is stricter, at the service too', async () => {
    const { sandbox, get, later, device, push } = await world({ onAway: 'logout' })
    await get()
    sandbox.phone.setPresence(device(), 'away')
    later(10_001)
    expect(await errorOf(await get())).toEqual([401, 'session_ended'])
    await waitFor(() => sandbox.phone.pushes().find(({ id }) => id === push())!.details[0]!.value === 'closed')
  })

  it('sends browsers to pages of their own', async () => {
    const { sandbox, get, later, device, push } = await world({ suspendedPath: '/suspended', signedOutPath: '/bye' })
    sandbox.phone.setPresence(device(), 'away')
    const suspended = await get('/private', 'text/html')
    expect([suspended.status, suspended.headers.get('location')]).toEqual([303, '/suspended'])
    expect((await get('/suspended', 'text/html')).status).toBe(404)
    await sandbox.phone.act(push(), 'close')
    later(10_001)
    expect((await get('/private', 'text/html')).headers.get('location')).toBe('/bye')
  })

  it('goes when the user signs out, which ends the remote session, also when that fails the first time', async () => {
    const { sandbox, get, post, push } = await world()
    await get()
    sandbox.faults.add({ kind: 'error', status: 500, provider: 'activeconnect', path: '*/logout/*', times: 1 })
    expect((await post('/logout')).status).toBe(200)
    expect((await get()).status).toBe(401)
    const session = () => sandbox.phone.pushes().find(({ id }) => id === push())!.details[0]!.value
    expect(session()).toBe('active')
    await waitFor(() => session() === 'closed', { timeoutMs: 10_000 })
  })

  it('refuses wrong options', () => {
    const wrong: object = { intervalSeconds: 0 }
    expect(() => presence(wrong as PresenceOptions)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }))
  })
})

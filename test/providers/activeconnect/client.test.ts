import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { ActiveconnectClient, type ActiveconnectClientOptions } from 'passport-outofband/activeconnect'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { jsonAnswer, startRawServer, type RawServer } from '../../support/raw-server.js'

let sandbox: Sandbox
let client: ActiveconnectClient
let counter = 0

beforeAll(async () => {
  sandbox = await startSandbox()
})
afterAll(() => sandbox.close())
beforeEach(() => {
  client = new ActiveconnectClient(options())
})
afterEach(() => {
  sandbox.faults.clear()
  Object.assign(sandbox.activeconnect.quirks, {
    statusShape: 'nested',
    timeoutSpelling: 'timeout',
    statusWord: undefined,
    foreignOrigin: undefined,
  })
})

function options(over: Partial<ActiveconnectClientOptions> = {}): ActiveconnectClientOptions {
  const { url, applicationId, applicationSecret } = sandbox.activeconnect
  return { baseUrl: url, applicationId, applicationSecret, ...over }
}

async function userWithPhone(): Promise<string> {
  const userId = `user-${(counter += 1)}`
  await client.users.add(userId)
  await sandbox.phone.enrol(await client.users.registrationLink(userId))
  return userId
}

describe('users', () => {
  it('adds one, and says when there was one', async () => {
    expect(await client.users.add('alice')).toBe('success')
    expect(await client.users.add('alice')).toBe('user_exists')
    expect(await client.users.addMany(['alice', 'bob', 'bob'])).toEqual({ created: ['bob'], existing: ['alice'] })
  })

  test.each([
    [{ created: ['Alice'], existing: [] }, 'success'],
    [{ created: ['alice'], existing: ['alice'] }, 'user_exists'],
    [{ created: [], existing: [] }, 'failed'],
  ])('reads what became of one from %j', async (users, result) => {
    const body = JSON.stringify({ status: true, users })
    const own = new ActiveconnectClient({
      applicationId: 'app',
      applicationSecret: 'secret',
      runtime: {
        fetch: async () => ({
          status: 201,
          headers: new Headers({ 'content-type': 'application/json' }),
          body: new Response(body).body,
        }),
      },
    })
    expect(await own.users.add('alice')).toBe(result)
  })

  it('deletes, and takes ids that do not exist for no failure', async () => {
    await client.users.add('gone')
    expect(await client.users.delete('gone')).toBe('success')
    expect(await client.users.deleteMany(['gone', 'never'])).toBe('success')
    await expect(client.users.hasMobileDevice('gone')).rejects.toMatchObject({
      code: 'ERR_PROVIDER_REJECTED',
      status: 404,
    })
  })

  test.each(['a b', 'a/b', 'a@b', 'ü', 'é?x=1#y', '用户', '%2e%2e', "o'neil", 'a+b'])(
    'sends the id %s as one encoded segment [SC 87]',
    async (userId) => {
      expect(await client.users.add(userId)).toMatch(/success|user_exists/)
      expect(await client.users.hasMobileDevice(userId)).toBe('no_mobile_device')
    },
  )

  test.each(['', '.', '..', 'a\r\nb', 'a\u0000', 'x'.repeat(256)])('refuses the id %j [SC 87]', async (userId) => {
    await expect(client.users.hasMobileDevice(userId)).rejects.toMatchObject({ code: 'ERR_INPUT', field: 'userId' })
    await expect(client.users.add(userId)).rejects.toMatchObject({ code: 'ERR_INPUT' })
  })

  it('refuses an empty list and one of more than 1000', async () => {
    await expect(client.users.addMany([])).rejects.toMatchObject({ field: 'userIds' })
    await expect(client.users.addMany(Array.from({ length: 1001 }, String))).rejects.toMatchObject({ field: 'userIds' })
  })

  it('gives a link with a display name whose characters are signed as they are sent', async () => {
    await client.users.add('linked')
    const link = await client.users.registrationLink('linked', { displayName: "Zoë O'Brien & Sons" })
    expect(await sandbox.phone.enrol(link)).toMatchObject({ name: "Zoë O'Brien & Sons", owner: 'linked' })
    expect(await client.users.hasMobileDevice('linked')).toBe('has_mobile_device')
  })

  it('has a text message sent, and says when it was not', async () => {
    await client.users.add('texted')
    expect(await client.users.sendRegistrationSms('texted', { phoneNumber: '+3612345678', message: 'Hello' })).toBe(
      true,
    )
    expect(sandbox.phone.messages({ to: '+3612345678' })[0]!.text).toMatch(/^Hello http/)
    expect(await client.users.sendRegistrationSms('texted', { phoneNumber: '123' })).toBe(false)
    await expect(client.users.sendRegistrationSms('texted', { phoneNumber: '' })).rejects.toMatchObject({
      field: 'phoneNumber',
    })
  })

  it('gives a new link for a lost device, and closes what depended on it', async () => {
    const userId = await userWithPhone()
    const session = await client.authenticate(userId)
    await sandbox.phone.approve({ recipient: userId })
    expect(await session.status()).toBe('active')
    expect(await client.users.lostDevice(userId)).toMatch(/\/register\//)
    expect(await session.status()).toBe('closed')
    expect(await client.users.hasMobileDevice(userId)).toBe('no_mobile_device')
  })
})

describe('authenticate', () => {
  it('lets nobody in until the phone has approved', async () => {
    const userId = await userWithPhone()
    const session = await client.authenticate(userId, { methods: ['acceptance', 'device'] })
    expect(session.lastStatus).toBe('pending')
    expect(await session.status()).toBe('pending')
    expect((await sandbox.phone.waitForPush({ recipient: userId })).details).toContainEqual({
      label: 'Proofs',
      value: 'acceptance, device',
    })
    await sandbox.phone.approve({ recipient: userId })
    expect(await session.status()).toBe('active')
  })

  it('says why a request was not started, and keeps nothing of it', async () => {
    await client.users.add('phoneless')
    const session = await client.authenticate('phoneless')
    expect([session.lastStatus, session.failureReason]).toEqual(['failed', 'NO_MOBILE_DEVICE'])
    expect(await session.status()).toBe('failed')
    expect(await session.destroy()).toBe(true)
  })

  it('ends a session, also twice', async () => {
    const session = await client.authenticate(await userWithPhone())
    expect(await session.destroy()).toBe(true)
    expect(await session.destroy()).toBe(true)
    expect(await session.status()).toBe('closed')
  })

  it('never leaves an ended state, whatever the service says later [SC 27]', async () => {
    const userId = await userWithPhone()
    const session = await client.authenticate(userId)
    await sandbox.phone.deny({ recipient: userId })
    expect(await session.status()).toBe('cancelled')
    sandbox.activeconnect.quirks.statusWord = 'active'
    expect(await session.status()).toBe('cancelled')
  })

  test.each(['nested', 'flat', 'both'] as const)('reads a %s status answer', async (statusShape) => {
    sandbox.activeconnect.quirks.statusShape = statusShape
    const userId = await userWithPhone()
    const session = await client.authenticate(userId)
    await sandbox.phone.approve({ recipient: userId })
    expect(await session.status()).toBe('active')
  })

  it('does not send a push twice when the answer is lost [SC 85]', async () => {
    const userId = await userWithPhone()
    sandbox.faults.add({ kind: 'reset', when: 'after', provider: 'activeconnect', path: '/authentication/*', times: 1 })
    await expect(client.authenticate(userId)).rejects.toMatchObject({ code: 'ERR_PROVIDER_UNREACHABLE' })
    expect(sandbox.phone.pushes({ recipient: userId })).toHaveLength(1)
  })

  it('asks for the status again, signed anew, when the connection was lost', async () => {
    const session = await client.authenticate(await userWithPhone())
    sandbox.faults.add({ kind: 'reset', when: 'after', provider: 'activeconnect', method: 'GET', times: 1 })
    expect(await session.status()).toBe('pending')
  })

  it('says so when the clocks differ', async () => {
    sandbox.faults.add({ kind: 'clock-skew', provider: 'activeconnect', ms: -3_600_000 })
    const skewed = new ActiveconnectClient(options({ runtime: { now: () => Date.now() + 3_600_000 } }))
    await expect(skewed.users.add('x')).rejects.toThrow(/clocks/)
  })

  it('refuses a method that the provider does not know', async () => {
    await expect(client.authenticate('alice', { methods: ['telepathy' as 'facial'] })).rejects.toMatchObject({
      field: 'methods',
    })
  })
})

describe('a session URL on a foreign origin', () => {
  it('is not followed at the start', async () => {
    sandbox.activeconnect.quirks.foreignOrigin = 'https://evil.example'
    await expect(client.authenticate(await userWithPhone())).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
  })

  it('is followed where the application allows the origin', async () => {
    sandbox.activeconnect.quirks.foreignOrigin = sandbox.activeconnect.url.replace('127.0.0.1', 'localhost')
    const allowing = new ActiveconnectClient(options({ allowedOrigins: [sandbox.activeconnect.quirks.foreignOrigin] }))
    const session = await allowing.authenticate(await userWithPhone())
    expect(await session.status()).toBe('pending')
  })

  it('is not followed from a sealed session either', async () => {
    sandbox.activeconnect.quirks.foreignOrigin = sandbox.activeconnect.url.replace('127.0.0.1', 'localhost')
    const allowing = new ActiveconnectClient(options({ allowedOrigins: [sandbox.activeconnect.quirks.foreignOrigin] }))
    const userId = await userWithPhone()
    const sealed = await allowing.sealSession(await allowing.authenticate(userId), { purpose: 'login' })
    await expect(client.unsealSession(sealed, { userId, purpose: 'login' })).rejects.toMatchObject({
      code: 'ERR_PROVIDER_PROTOCOL',
    })
  })
})

describe('a sealed session', () => {
  const keys = ['old', 'new'].map((kid) => ({ kid, key: Buffer.alloc(32, kid) }))

  it('opens again and still speaks for itself', async () => {
    const userId = await userWithPhone()
    const sealed = await client.sealSession(await client.authenticate(userId), { purpose: 'login' })
    await sandbox.phone.approve({ recipient: userId })
    const opened = await client.unsealSession(sealed, { userId, purpose: 'login' })
    expect(opened.lastStatus).toBe('pending')
    expect(await opened.status()).toBe('active')
  })

  it('opens under an older key after a rotation, and not once that is gone', async () => {
    const userId = await userWithPhone()
    const before = new ActiveconnectClient(options({ sealingKeys: [keys[0]!] }))
    const after = new ActiveconnectClient(options({ sealingKeys: [keys[1]!, keys[0]!] }))
    const later = new ActiveconnectClient(options({ sealingKeys: [keys[1]!] }))
    const sealed = await before.sealSession(await before.authenticate(userId), { purpose: 'login' })
    expect((await after.unsealSession(sealed, { userId, purpose: 'login' })).userId).toBe(userId)
    await expect(later.unsealSession(sealed, { userId, purpose: 'login' })).rejects.toMatchObject({ field: 'sealed' })
  })

  test.each([
    ['another user', { userId: 'mallory' }],
    ['another purpose', { purpose: 'payment' }],
  ])('does not open for %s', async (_why, over) => {
    const userId = await userWithPhone()
    const sealed = await client.sealSession(await client.authenticate(userId), { purpose: 'login' })
    await expect(client.unsealSession(sealed, { userId, purpose: 'login', ...over })).rejects.toMatchObject({
      field: 'sealed',
    })
  })

  it('does not open for another application, too late, or with a letter changed', async () => {
    const userId = await userWithPhone()
    let now = Date.now()
    const own = new ActiveconnectClient(options({ runtime: { now: () => now }, sealingKeys: [keys[0]!] }))
    const sealed = await own.sealSession(await own.authenticate(userId), { purpose: 'login', ttlSeconds: 60 })
    const other = new ActiveconnectClient(
      options({ ...sandbox.activeconnect.addApplication(), sealingKeys: [keys[0]!] }),
    )
    const refused = { code: 'ERR_INPUT', field: 'sealed' }
    await expect(other.unsealSession(sealed, { userId, purpose: 'login' })).rejects.toMatchObject(refused)
    const at = sealed.length - 30
    const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1)
    await expect(own.unsealSession(changed, { userId, purpose: 'login' })).rejects.toMatchObject(refused)
    now += 61_000
    await expect(own.unsealSession(sealed, { userId, purpose: 'login' })).rejects.toMatchObject(refused)
  })

  it('shows neither its credential nor the application’s secret, sealed or printed [SC 90]', async () => {
    const userId = await userWithPhone()
    const server = await fakeService((path) => startAnswer(path))
    try {
      const own = new ActiveconnectClient(options({ baseUrl: server.url }))
      const session = await own.authenticate(userId)
      const sealed = await own.sealSession(session, { purpose: 'login' })
      const error: unknown = await own.users.add('x').catch((reason: unknown) => reason)
      const printed = [session, own, own.users, error].flatMap((value) => [
        inspect(value, { depth: 9, showHidden: true }),
        JSON.stringify(value),
        String(value),
      ])
      for (const text of [...printed, sealed]) {
        expect(text).not.toContain(sandbox.activeconnect.applicationSecret)
        expect(text).not.toContain('SESSIONSECRET')
        expect(text).not.toContain('SESSIONTOKEN')
      }
    } finally {
      await server.close()
    }
  })
})

async function fakeService(body: (base: string) => unknown, status = 202): Promise<RawServer> {
  const server: RawServer = await startRawServer((socket) => {
    socket.write(jsonAnswer(body(server.url), status))
  })
  return server
}

function startAnswer(base: string, over: object = {}): object {
  return {
    authentication_status: {
      authenticated: true,
      session_status: 'pending',
      reason: null,
      status_url: `${base}/s/1`,
      logout_url: `${base}/l/1`,
      session_token: 'SESSIONTOKEN',
      session_secret: 'SESSIONSECRET',
      ...over,
    },
  }
}

describe('answers that are not the documented ones [SC 86]', () => {
  test.each([
    ['no authentication_status', {}, 202],
    ['a start without a token', { session_token: undefined }, 202],
    ['a start with an empty secret', { session_secret: '' }, 202],
    ['a start whose token would break the credential', { session_token: 'a:b' }, 202],
    ['a start that was answered 200', {}, 200],
    ['authenticated as text', { authenticated: 'true' }, 202],
    ['a status URL that is none', { status_url: '/relative' }, 202],
  ])('%s start nothing', async (why, over, status) => {
    const server = await fakeService((base) => (why.startsWith('no ') ? {} : startAnswer(base, over)), status)
    try {
      const own = new ActiveconnectClient(options({ baseUrl: server.url }))
      await expect(own.authenticate('alice')).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
    } finally {
      await server.close()
    }
  })

  test.each([
    ['nothing', {}],
    ['a list', []],
    ['a number for a status', { authentication_status: { session_status: 1 } }],
    ['two forms that disagree', { session_status: 'active', authentication_status: { session_status: 'pending' } }],
    ['a form that can not be read beside one that can', { session_status: 'active', authentication_status: null }],
    ['active, but not authenticated', { authentication_status: { session_status: 'active', authenticated: false } }],
    ['active, authenticated as text', { session_status: 'active', authenticated: 'yes' }],
  ])('%s let nobody in', async (_why, body) => {
    const server: RawServer = await startRawServer((socket, _request, index) => {
      socket.write(index === 0 ? jsonAnswer(startAnswer(server.url), 202) : jsonAnswer(body))
    })
    try {
      const session = await new ActiveconnectClient(options({ baseUrl: server.url })).authenticate('alice')
      await expect(session.status()).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
      expect(session.lastStatus).toBe('pending')
    } finally {
      await server.close()
    }
  })

  it('whatever a status URL answers, only the documented active is active', async () => {
    let answer: unknown
    const own = new ActiveconnectClient(
      options({
        runtime: {
          fetch: async (url) => {
            const isStart = url.includes('authenticate_user')
            const text = JSON.stringify(isStart ? startAnswer(sandbox.activeconnect.url) : answer)
            const headers = new Headers({ 'content-type': 'application/json' })
            const body = (async function* () {
              yield Buffer.from(text)
            })()
            return { status: isStart ? 202 : 200, headers, body }
          },
        },
      }),
    )
    const word = fc.constantFrom('active', 'pending', 'closed', 'ACTIVE', 'x')
    const inner = fc.record(
      { session_status: fc.oneof(word, fc.jsonValue()), authenticated: fc.oneof(fc.boolean(), fc.jsonValue()) },
      { requiredKeys: [] },
    )
    const body = fc.oneof(
      fc.jsonValue(),
      inner,
      inner.map((value) => ({ authentication_status: value })),
      fc.tuple(inner, inner).map(([outer, value]) => ({ ...outer, authentication_status: value })),
    )
    await fc.assert(
      fc.asyncProperty(body, async (value) => {
        answer = value
        const session = await own.authenticate('alice')
        const status = await session.status().catch(() => 'error')
        if (status !== 'active') return
        const said = Object(value) as Record<string, unknown>
        const nested = Object(said['authentication_status'] ?? said) as Record<string, unknown>
        expect(nested['session_status']).toBe('active')
        expect(nested['authenticated']).not.toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  it('a 200 whose status is not true is no success', async () => {
    const server = await fakeService(() => ({ status: false, reason: 'NOPE' }), 200)
    try {
      const own = new ActiveconnectClient(options({ baseUrl: server.url }))
      expect(await own.users.add('a')).toBe('failed')
      expect(await own.users.delete('a')).toBe('failed')
      await expect(own.users.registrationLink('a')).rejects.toMatchObject({ providerCode: 'NOPE' })
    } finally {
      await server.close()
    }
  })

  it('does not follow a redirect, which would carry the signature away', async () => {
    sandbox.faults.add({ kind: 'redirect', location: 'http://127.0.0.1:9/', provider: 'activeconnect' })
    await expect(client.users.add('a')).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL', status: 302 })
  })
})

describe('options', () => {
  test.each([
    ['a colon in the application id', { applicationId: 'a:b' }, 'applicationId'],
    ['an empty secret', { applicationSecret: '' }, 'applicationSecret'],
    [
      'a secret of the wrong length in dialect documented',
      { dialect: 'documented', applicationSecret: 'abcd' },
      'applicationSecret',
    ],
    ['plain http beyond loopback', { baseUrl: 'http://example.com', applicationSecret: 'real' }, 'baseUrl'],
    ['a misspelt one', { aplicationId: 'x' }, 'aplicationId'],
    ['a sealing key of 16 bytes', { sealingKeys: [{ kid: 'a', key: Buffer.alloc(16) }] }, 'sealingKeys.0.key'],
    ['an allowed origin with a path', { allowedOrigins: ['https://a.example/x'] }, 'allowedOrigins.0'],
    ["a sandbox's secret for the real service [SC 95]", { baseUrl: undefined }, 'applicationSecret'],
  ] as const)('refuses %s', (_why, over, option) => {
    expect(() => new ActiveconnectClient({ ...options(), ...over })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', option }),
    )
  })
})

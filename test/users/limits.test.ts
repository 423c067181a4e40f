import { MemoryStateStore } from 'passport-outofband/stores'
import { describe, expect, test } from 'vitest'
import { StoreUnavailableError } from 'passport-outofband'
import { ADMIN_PASSWORD, PASSWORD, startService, type TestService } from './service.js'

const TOO_MANY = { status: 429, body: { title: 'Too Many Requests', status: 429 } }
const proxied = { proxyDepth: 1 }
const from = (address: string) => ({ 'x-forwarded-for': `10.9.9.9, ${address}` })

async function guess(app: TestService, email: string, times: number, headers = {}): Promise<number[]> {
  const replies = []
  for (let count = 0; count < times; count += 1) replies.push(await app.login(email, `guess number ${count}`, headers))
  return replies.map(({ status }) => status)
}

describe('failed logins', () => {
  test('of an account are limited over all addresses, of one that does not exist too [SC 17, 71]', async () => {
    const app = await startService(proxied)
    const { email } = await app.register('alice')
    for (const address of [email, 'nobody@example.com']) {
      const replies = []
      for (let count = 0; count < 11; count += 1)
        replies.push(await app.login(address, 'wrong', from(`198.51.100.${count}`)))
      expect(replies.map(({ status }) => status)).toEqual([...Array.from({ length: 10 }, () => 401), 429])
    }
    const locked = [
      await app.login(email, 'wrong', from('203.0.113.1')),
      await app.login('nobody@example.com', 'wrong', from('203.0.113.1')),
    ]
    expect(locked[0]?.text).toBe(locked[1]?.text)
    expect(locked[0]?.headers.get('retry-after')).toBe(locked[1]?.headers.get('retry-after'))
  })

  test('at once are counted before they are compared [SC 17]', async () => {
    const app = await startService()
    const { email } = await app.register('alice')
    const replies = await Promise.all(
      Array.from({ length: 30 }, (_, index) => app.login(email, `guess number ${index}`)),
    )
    expect(replies.filter(({ status }) => status === 401)).toHaveLength(10)
    expect(replies.filter(({ status }) => status === 429)).toHaveLength(20)
  })

  test('of a stranger lock no device out that has signed in before: by its mark, or by its address [SC 18]', async () => {
    const app = await startService(proxied)
    const { email } = await app.register('alice')
    const first = await app.login(email, PASSWORD, from('192.0.2.1'))
    const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? ''
    expect(first.headers.get('set-cookie')).toMatch(/^__Host-.*; HttpOnly; Secure; SameSite=Strict$/)
    await guess(app, email, 12, from('203.0.113.66'))
    expect(await app.login(email, PASSWORD, from('192.0.2.2'))).toMatchObject(TOO_MANY)
    expect(await app.login(email, PASSWORD, from('192.0.2.1'))).toMatchObject({ status: 200 })
    expect(await app.login(email, PASSWORD, { ...from('192.0.2.3'), cookie })).toMatchObject({ status: 200 })
  })

  test('of a known device count for it: a mark buys ten tries, not more, and only for its user [SC 10, 17]', async () => {
    const app = await startService(proxied)
    const alice = await app.register('alice')
    const bob = await app.register('bob')
    const cookie =
      (await app.login(alice.email, PASSWORD, from('192.0.2.1'))).headers.get('set-cookie')?.split(';')[0] ?? ''
    const marked = { ...from('192.0.2.9'), cookie }
    expect((await guess(app, alice.email, 11, marked)).at(-1)).toBe(429)
    await guess(app, bob.email, 12, from('203.0.113.66'))
    expect(await app.login(bob.email, PASSWORD, marked)).toMatchObject(TOO_MANY)
    const admin = await app.admin()
    await app.call('POST', `/user/${alice.id}/set_password/`, { token: admin.token, body: { password: PASSWORD } })
    await guess(app, alice.email, 12, from('203.0.113.67'))
    app.clock.set(app.clock.now() + 1)
    expect(await app.login(alice.email, PASSWORD, marked)).toMatchObject(TOO_MANY)
  })

  test('of one address are limited over all accounts, and an IPv6 client is its whole /64 [SC 17]', async () => {
    const app = await startService({ ...proxied, limits: { loginPerClient: { max: 5, windowSeconds: 900 } } })
    for (let count = 0; count < 5; count += 1)
      await app.login(`user${count}@example.com`, 'wrong', from(`2001:db8:0:1::${count + 1}`))
    expect(await app.login('other@example.com', 'wrong', from('2001:db8::1:ffff:1:2:3'))).toMatchObject(TOO_MANY)
    expect(await app.login('other@example.com', 'wrong', from('2001:db8:0:2::1'))).toMatchObject({ status: 401 })
  })

  test('never lock the service account by its account alone', async () => {
    const app = await startService(proxied)
    await guess(app, 'service@example.com', 12, from('203.0.113.66'))
    expect(await app.login('service@example.com', ADMIN_PASSWORD, from('192.0.2.1'))).toMatchObject({ status: 200 })
  })

  test('are forgotten after the window, and after a success', async () => {
    const app = await startService()
    const { email } = await app.register('alice')
    await guess(app, email, 9)
    expect(await app.login(email)).toMatchObject({ status: 200 })
    expect((await guess(app, email, 11)).at(-1)).toBe(429)
    app.clock.set(app.clock.now() + 901_000)
    expect(await app.login(email)).toMatchObject({ status: 200 })
  })
})

test('fifty right logins of one account at once are all let in', async () => {
  const app = await startService()
  const { email } = await app.register('alice')
  const replies = await Promise.all(Array.from({ length: 50 }, () => app.login(email)))
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(50)
})

test('what a client writes into X-Forwarded-For counts for nothing without a configured proxy', async () => {
  const app = await startService({ limits: { loginPerClient: { max: 3, windowSeconds: 900 } } })
  for (let count = 0; count < 3; count += 1)
    await app.login(`u${count}@example.com`, 'wrong', from(`198.51.100.${count}`))
  expect(await app.login('v@example.com', 'wrong', from('198.51.100.99'))).toMatchObject(TOO_MANY)
})

test('registrations, resets and confirmations of one client are limited; mails to one address silently', async () => {
  const app = await startService()
  const { email } = await app.register('alice')
  const body = { email, url_template: 'https://app.example.com/?token={token}' }
  for (let count = 0; count < 5; count += 1) {
    expect(await app.call('POST', '/password/reset/', { body })).toMatchObject({ status: 200, text: '' })
  }
  await app.service.idle()
  expect(app.mails).toHaveLength(3)
  for (let count = 0; count < 19; count += 1)
    await app.call('POST', '/user/', { body: { email: `u${count}@example.com` } })
  expect(await app.call('POST', '/user/', { body: { email: 'one-more@example.com' } })).toMatchObject(TOO_MANY)
  for (let count = 5; count < 20; count += 1) await app.call('POST', '/password/reset/', { body })
  expect(await app.call('POST', '/password/reset/', { body })).toMatchObject(TOO_MANY)
})

test('a reset answers the same for known, unknown and inactive users, also when the mail server is down [SC 23, 73]', async () => {
  const app = await startService({ senders: { mail: { send: () => Promise.reject(new Error('down')) } } })
  const { email, id } = await app.register('alice')
  await app.register('bob')
  const admin = await app.admin()
  await app.call('DELETE', `/user/${id}/`, { token: admin.token })
  const answers = []
  for (const address of [email, 'bob@example.com', 'nobody@example.com', 'no address', 'x'.repeat(300)]) {
    const body = { email: address, url_template: 'https://app.example.com/?token={token}' }
    const { status, text, headers } = await app.call('POST', '/password/reset/', { body })
    answers.push([status, text, headers.get('content-type')])
  }
  await app.service.idle()
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
})

test('a state store that does not answer lets nobody in: 503 everywhere [SC 98]', async () => {
  class Broken extends MemoryStateStore {
    override increment(): Promise<never> {
      return Promise.reject(new StoreUnavailableError('gone'))
    }
    override get(): Promise<never> {
      return Promise.reject(new StoreUnavailableError('gone'))
    }
  }
  const app = await startService({ state: new Broken() })
  const down = { status: 503, body: { title: 'Service Unavailable' } }
  expect(await app.login('admin@example.com', ADMIN_PASSWORD)).toMatchObject(down)
  expect(await app.call('POST', '/user/', { body: { email: 'a@example.com' } })).toMatchObject(down)
  expect(await app.call('POST', '/verification/phone/', { body: { phone: '+15550001234' } })).toMatchObject(down)
})

test('too many hashes that wait are a 503, and the service goes on [SC 100]', async () => {
  const app = await startService({ passwords: { maxWaiting: 3 } })
  const replies = await Promise.all(Array.from({ length: 20 }, (_, index) => app.login(`u${index}@example.com`)))
  const statuses = new Set(replies.map(({ status }) => status))
  expect([...statuses].sort()).toEqual([401, 503])
  expect(await app.login('admin@example.com', ADMIN_PASSWORD)).toMatchObject({ status: 200 })
})

test('every attempt is told with its time, its client and its result, and nothing in it adds a line [SC 91, 92]', async () => {
  const app = await startService()
  await app.login('a\r\nfake: line@example.com', 'wrong')
  const { id, email } = await app.register('alice')
  await app.login(email)
  await app.login(email, 'wrong')
  expect(app.events).toMatchObject([
    { type: 'login.failed', client: '127.0.0.1', reason: 'password' },
    { type: 'registered', userId: id },
    { type: 'login', userId: id, client: '127.0.0.1' },
    { type: 'login.failed', userId: id, destination: 'a***@example.com' },
  ])
  for (const event of app.events) expect(event.at.getTime()).toBe(app.clock.now())
  expect(JSON.stringify(app.events)).not.toMatch(/\\[rn]/)
})

test('a callback of the application that throws breaks nothing [SC 94]', async () => {
  const app = await startService({
    onEvent: () => {
      throw new Error('at ease')
    },
  })
  expect(await app.login('admin@example.com', ADMIN_PASSWORD)).toMatchObject({ status: 200 })
  const broken = await startService({
    tokens: {
      claims: () => {
        throw new Error('a secret path: /etc/x')
      },
    },
  })
  const reply = await broken.login('admin@example.com', ADMIN_PASSWORD)
  expect(reply).toMatchObject({ status: 500, body: { title: 'Internal Server Error' } })
  expect(reply.text).not.toContain('secret')
})

test('with a second factor there is no token after the password alone, and no other way to one [SC 2, 3]', async () => {
  const app = await startService({
    // Strict about members, which the factor is one of.
    registration: { strict: true },
    secondFactor: {
      challenge: async ({ email }) => (email.startsWith('alice') ? { methods: ['totp'] } : undefined),
      verify: async (_user, response) => response === '123456',
    },
  })
  const { email } = await app.register('alice')
  const half = await app.login(email)
  expect(half).toMatchObject({ status: 403, body: { code: 'SecondFactorRequired', methods: ['totp'] } })
  expect(half.text).not.toContain('access_token')
  const full = (second_factor: string) =>
    app.call('POST', '/auth/login/', { body: { email, password: PASSWORD, second_factor } })
  expect(await full('000000')).toMatchObject({ status: 401, body: { code: 'AuthFailure' } })
  expect(await full('123456')).toMatchObject({ status: 200 })
  await app.call('POST', '/password/reset/', {
    body: { email, url_template: 'https://app.example.com/?token={token}' },
  })
  await app.service.idle()
  const token = /token=(.+)$/.exec(app.mails[0]?.variables['password_reset_url'] ?? '')?.[1]
  const confirmed = await app.call('POST', '/password/reset/confirm/', { body: { token, new_password: PASSWORD } })
  expect(confirmed).toMatchObject({ status: 200, text: '' })
  expect(await app.login(email)).toMatchObject({ status: 403 })
})

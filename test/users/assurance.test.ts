import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import { migrateToLatest, sqliteDialect, SqlStateStore, SqlUserStore } from 'passport-outofband/stores/sql'
import { affoMailSender } from 'passport-outofband/users'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../support/temporary.js'
import {
  codeOf,
  PASSWORD,
  PASSWORD_2,
  resetTokenOf,
  SECRET,
  startService,
  tokenOf,
  type Reply,
  type TestService,
} from './service.js'

// What a session of the user service vouches for, what gives none, and what is told to whom.

const secondFactor = {
  amr: ['otp'],
  challenge: async ({ email }: { readonly email: string }) =>
    email.startsWith('alice') ? { methods: ['totp'] } : undefined,
  verify: async (_user: unknown, response: string) => response === '123456',
}

function later(app: TestService, seconds: number): void {
  app.clock.set(app.clock.now() + seconds * 1000)
}

async function reset(app: TestService, email: string): Promise<string> {
  await app.call('POST', '/password/reset/', {
    body: { email, url_template: 'https://app.example.com/?token={token}' },
  })
  await app.service.idle()
  return resetTokenOf(app.mails)
}

function confirmReset(app: TestService, token: string, password = PASSWORD_2): Promise<Reply> {
  return app.call('POST', '/password/reset/confirm/', { body: { token, new_password: password } })
}

function full(app: TestService, email: string, password = PASSWORD): Promise<Reply> {
  return app.call('POST', '/auth/login/', { body: { email, password, second_factor: '123456' } })
}

test('mail and text message together are no second factor, in whatever order they are proved [SC 3, 25]', async () => {
  const app = await startService({ secondFactor })
  const { email } = await app.register('alice', { phone: '+15550001111' })
  await app.call('POST', '/verification/phone/', { body: { phone: '+15550001111' } })
  const phone = await app.call('POST', '/verification/phone/confirm/', {
    body: { phone: '+15550001111', code: codeOf(app.texts) },
  })
  const mail = await confirmReset(app, await reset(app, email))
  for (const reply of [phone, mail]) {
    expect(reply).toMatchObject({ status: 200, text: '' })
    expect(reply.headers.get('set-cookie')).toBeNull()
  }
  expect(await app.login(email, PASSWORD_2)).toMatchObject({ status: 403, body: { code: 'SecondFactorRequired' } })
  expect(await full(app, email, PASSWORD_2)).toMatchObject({ status: 200 })
})

test('recovery is a token of 256 bits that no store tells, and it takes no second factor away [SC 8]', async () => {
  const app = await startService({ secondFactor })
  const { email } = await app.register('alice')
  const token = await reset(app, email)
  const random = token.split('.')[1] ?? ''
  expect(Buffer.from(random, 'base64url')).toHaveLength(32)
  const { id } = (await app.store.findByEmail(email))!
  const stored = JSON.stringify(await app.state.get(`users:reset:${id}`))
  expect(stored).toContain('digest')
  expect(stored).not.toContain(random)
  expect(JSON.stringify([app.events, app.logs])).not.toContain(random)
  expect(await confirmReset(app, token)).toMatchObject({ status: 200 })
  expect(await confirmReset(app, token)).toMatchObject({ status: 400 })
  expect(await app.login(email, PASSWORD_2)).toMatchObject({ status: 403, body: { code: 'SecondFactorRequired' } })
})

test('a new password ends all sessions, and every device mark that came of the old one [SC 9]', async () => {
  const app = await startService({ proxyDepth: 1 })
  const { email } = await app.register('alice')
  const from = (address: string, cookie = '') => ({ 'x-forwarded-for': address, ...(cookie && { cookie }) })
  const first = await app.login(email, PASSWORD, from('192.0.2.1'))
  const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? ''
  expect(await confirmReset(app, await reset(app, email))).toMatchObject({ status: 200 })
  expect(await app.call('GET', '/user/current/', { token: tokenOf(first) })).toMatchObject({ status: 403 })
  for (let count = 0; count < 11; count += 1) await app.login(email, 'wrong', from('203.0.113.66'))
  // Neither the mark nor the address is known any more: they have no tries of their own.
  expect(await app.login(email, PASSWORD_2, from('192.0.2.1', cookie))).toMatchObject({ status: 429 })
})

describe('a number that the application does not allow, such as after a change of its SIM', () => {
  const phone = '+15550001111'

  test('gets no message, and a code that it has counts for nothing [SC 24]', async () => {
    let isAllowed = true
    const app = await startService({ verification: { allowNumber: async (number) => number !== phone || isAllowed } })
    const start = (of: string) => app.call('POST', '/verification/phone/', { body: { phone: of } })
    const sent = await start(phone)
    const code = codeOf(app.texts)
    isAllowed = false
    expect(await app.call('POST', '/verification/phone/confirm/', { body: { phone, code } })).toMatchObject({
      status: 400,
      body: { code: 'InvalidPhoneCode' },
    })
    later(app, 61)
    expect(await start(phone)).toMatchObject({ status: sent.status, text: sent.text })
    expect(app.texts).toHaveLength(1)
    expect(app.events.at(-1)).toMatchObject({ type: 'phone.code.failed', reason: 'not allowed now' })
    expect(await start('+15550002222')).toMatchObject({ status: 200 })
    expect(app.texts).toHaveLength(2)
  })

  test('is not used while nobody can say [SC 24]', async () => {
    const app = await startService({ verification: { allowNumber: () => Promise.reject(new Error('look-up failed')) } })
    const reply = await app.call('POST', '/verification/phone/', { body: { phone } })
    expect(reply).toMatchObject({ status: 503 })
    expect(reply.text).not.toContain('look-up')
    expect(app.texts).toHaveLength(0)
  })

  test('matters to nobody where text messages are left out: there are no routes for them [SC 24]', async () => {
    const app = await startService({ senders: {} })
    expect(await app.call('POST', '/verification/phone/', { body: { phone } })).toMatchObject({ status: 404 })
    expect(await app.register('alice', { phone })).toMatchObject({ id: 3 })
  })
})

describe('a name is no place for a message [SC 26]', () => {
  const names = [
    ['Click https://evil.example/win now', 'Click   evil example/win now'],
    ['www.evil.example', 'evil example'],
    ['evil.example', 'evil example'],
    ['Alice\r\nBcc: x@evil.example', null],
    ['<a href="//evil.example">you won</a>', 'a href=  evil example  you won /a'],
    ['\u202Eecila', 'ecila'],
    ['J. R. R. Tolkien', 'J. R. R. Tolkien'],
    ["Zoë O'Neill-Łukasz 王", "Zoë O'Neill-Łukasz 王"],
    [' \t ', null],
  ] as const

  test.each(names)('%j becomes %j in every mail', async (first_name, clean) => {
    const sent: Record<string, unknown>[] = []
    const gateway = affoMailSender({
      rootUrl: 'http://mail.example/',
      runtime: {
        fetch: async (_url, { body }) => {
          sent.push(JSON.parse(typeof body === 'string' ? body : '{}') as Record<string, unknown>)
          return { status: 201, headers: new Headers(), body: (async function* () {})() }
        },
      },
    })
    const app = await startService({ senders: { mail: gateway, notices: gateway } })
    const person = { email: 'alice@example.com', password: PASSWORD, first_name }
    const { status } = await app.call('POST', '/user/', { body: person })
    // Control characters make no name at all.
    expect(status).toBe(/\p{Cc}/u.test(first_name) ? 400 : 201)
    if (status === 400) return
    await reset(app, person.email)
    await app.login(person.email, PASSWORD)
    await app.service.idle()
    expect(sent.map(({ variables }) => (variables as { name: unknown }).name)).toEqual(sent.map(() => clean))
    expect(sent.length).toBeGreaterThan(0)
  })

  test('a text message holds what is configured and the code, and nothing of the caller', async () => {
    const app = await startService({ verification: { message: 'Your code for Example Bank: {token}' } })
    const body = { phone: '+1 (555) 000-1111', message: 'Click https://evil.example', from: 'EVIL', resend: false }
    expect(await app.call('POST', '/verification/phone/', { body })).toMatchObject({ status: 200 })
    expect(app.texts).toEqual([
      {
        from: 'AFFO',
        to: '+15550001111',
        text: expect.stringMatching(/^Your code for Example Bank: \d{6}$/),
        retry: false,
      },
    ])
  })
})

describe('what is unusual reaches the owner of the account [SC 93]', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const told = async (app: TestService): Promise<readonly string[]> => {
    await app.service.idle()
    return app.notices.map(({ template, to }) => `${template} ${to}`)
  }

  test('a sign-in from a device that was never seen, once', async () => {
    const app = await startService({ proxyDepth: 1 })
    const email = 'alice@example.com'
    await app.call('POST', '/user/', { body: { email, password: PASSWORD }, headers: from('192.0.2.1') })
    await app.login(email, PASSWORD, from('192.0.2.1'))
    expect(await told(app)).toEqual([])
    await app.login(email, 'wrong', from('192.0.2.2'))
    expect(await told(app)).toEqual([])
    await app.login(email, PASSWORD, from('192.0.2.2'))
    await app.login(email, PASSWORD, from('192.0.2.2'))
    expect(await told(app)).toEqual(['new_device alice@example.com'])
  })

  test('failures that reach the limit, once a day, and to nobody who does not exist', async () => {
    const app = await startService({ proxyDepth: 1 })
    const { email } = await app.register('alice')
    const guess = async () => {
      for (let count = 0; count < 14; count += 1) {
        await app.login(email, 'wrong', from(`203.0.113.${count}`))
        await app.login('nobody@example.com', 'wrong', from(`203.0.113.${count}`))
        await app.login('service@example.com', 'wrong', from(`203.0.113.${count}`))
      }
    }
    await guess()
    expect(await told(app)).toEqual(['login_failures alice@example.com'])
    later(app, 901)
    await guess()
    expect(await told(app)).toHaveLength(1)
    later(app, 86_400)
    await guess()
    expect(await told(app)).toHaveLength(2)
  })
})

test('an unexpected error is answered with a number, under which the log has the reason [SC 94]', async () => {
  const app = await startService({
    tokens: {
      claims: () => {
        throw new Error('the reason is secret')
      },
    },
  })
  const reply = await app.login('admin@example.com', 'the passphrase of the administrator')
  expect(reply).toMatchObject({ status: 500, body: { title: 'Internal Server Error' } })
  const id = /[0-9a-f-]{36}/.exec(reply.text)?.[0] ?? ''
  expect(app.logs).toContainEqual(['a request failed unexpectedly', { err: expect.any(Error), id }])
  expect(reply.text).not.toContain('reason is')
  expect(await app.call('GET', '/auth/verify_token/')).toMatchObject({ status: 401 })
})

describe('on an SQLite file', () => {
  async function start() {
    const clock = { now: Date.UTC(2030, 0, 1) }
    const runtime = { now: () => clock.now }
    const db = new Kysely<Record<string, Record<string, unknown>>>({
      dialect: sqliteDialect({ file: join(temporaryFolder(), 'a.db'), synchronous: 'normal' }),
    })
    onTestFinished(() => db.destroy())
    await migrateToLatest({ db })
    const stores = { store: new SqlUserStore({ db }), state: new SqlStateStore({ db, runtime }) }
    const app = await startService({ ...stores, runtime, tokens: { idleSeconds: 3600 } })
    return { app, db, clock }
  }

  test('codes, reset tokens, marks and sessions end by the clock, also while their rows are still there [SC 97]', async () => {
    const { app, db, clock } = await start()
    const { email, token } = await app.register('alice')
    const phone = '+15550001111'
    await app.call('POST', '/verification/phone/', { body: { phone } })
    const code = codeOf(app.texts)
    const link = await reset(app, email)
    const rows = async () =>
      Number((await sql<{ n: number }>`select count(*) as n from oob_state`.execute(db)).rows[0]?.n)
    const before = await rows()
    clock.now += 31 * 86_400_000
    expect(await rows()).toBe(before)
    expect(await app.service.tokens.verify(token)).toMatchObject({ ok: false })
    expect(await app.call('POST', '/auth/refresh/', { token })).toMatchObject({
      status: expect.toBeOneOf([401, 403]) as number,
    })
    expect(await app.call('POST', '/verification/phone/confirm/', { body: { phone, code } })).toMatchObject({
      status: 400,
    })
    expect(await confirmReset(app, link)).toMatchObject({ status: 400, body: { code: 'InvalidToken' } })
  })

  test('hostile texts stay texts in every field, and names of keys and tables are checked [SC 99]', async () => {
    const { app, db } = await start()
    const evil = `'); drop table oob_users; --`
    const email = `o'x"\`;--@example.com`.replace(';', '')
    const person = { email, password: PASSWORD, first_name: evil, last_name: '%_\\', phone: `' or 1=1 --` }
    const { body } = await app.call('POST', '/user/', { body: person })
    expect(body).toMatchObject({ email, first_name: evil, last_name: '%_\\', phone: `' or 1=1 --` })
    expect(await app.login(email)).toMatchObject({ status: 200 })
    expect(await app.login(`' or '1'='1@example.com`)).toMatchObject({ status: 401 })
    expect(await app.login('%@example.com')).toMatchObject({ status: 401 })
    for (const id of [evil, '3 or 1=1', `3';--`]) {
      const token = String(body['access_token'])
      expect(await app.call('GET', `/user/${encodeURIComponent(id)}/`, { token })).toMatchObject({ status: 403 })
    }
    expect((await sql`select * from oob_users`.execute(db)).rows).toHaveLength(1)
    await expect(startService({ keys: SECRET, namespace: `x'; drop table y` })).rejects.toThrow('namespace')
    expect(() => new SqlUserStore({ db, tablePrefix: `x"; drop table y; --` })).toThrow('tablePrefix')
  })
})

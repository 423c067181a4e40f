import { join } from 'node:path'
import { Kysely, PostgresDialect } from 'kysely'
import { MemoryStateStore } from 'passport-outofband/stores'
import { migrateToLatest, sqliteDialect, SqlStateStore } from 'passport-outofband/stores/sql'
import { authyVerification, randomCode, type UserServiceOptions } from 'passport-outofband/users'
import { Pool } from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { StateStore } from '../../src/approval/state-store.js'
import { describeWith, sharedPostgres } from '../support/services.js'
import { temporaryFolder } from '../support/temporary.js'
import { codeOf, startService, type TestService } from './service.js'

const phone = '+15550001234'
const limit = { max: 1000, windowSeconds: 60 }
const roomy = { limits: { phoneConfirmPerClient: limit, phoneConfirm: limit, phone: limit, phonePerClient: limit } }
const INVALID = { status: 400, body: { code: 'InvalidPhoneCode', description: 'Invalid phone verification code' } }

function start(app: TestService, to = phone, more = {}) {
  return app.call('POST', '/verification/phone/', { body: { phone: to, ...more } })
}

function confirm(app: TestService, code: string, of = phone) {
  return app.call('POST', '/verification/phone/confirm/', { body: { phone: of, code } })
}

function wrong(code: string): string {
  return code.replace(/^./, (digit) => String((Number(digit) + 1) % 10))
}

async function races(state: StateStore | undefined): Promise<void> {
  const app = await startService({ ...roomy, ...(state === undefined ? {} : { state }) })
  await start(app)
  const code = codeOf(app.texts)
  const right = await Promise.all(Array.from({ length: 4 }, () => confirm(app, code)))
  expect(right.filter(({ status }) => status === 200)).toHaveLength(1)
  app.clock.set(app.clock.now() + 61_000)
  await start(app)
  const next = codeOf(app.texts)
  await Promise.all(Array.from({ length: 100 }, () => confirm(app, wrong(next))))
  expect(await confirm(app, next)).toMatchObject(INVALID)
}

test('of right answers at once one counts, and a hundred tries at once are five: in memory [SC 11, 96]', () =>
  races(undefined))

test('of right answers at once one counts, and a hundred tries at once are five: on SQLite [SC 11, 96]', async () => {
  const db = new Kysely<unknown>({
    dialect: sqliteDialect({ file: join(temporaryFolder(), 'a.db'), synchronous: 'normal' }),
  })
  onTestFinished(() => db.destroy())
  await migrateToLatest({ db })
  await races(new SqlStateStore({ db }))
})

describeWith('postgres', 'with PostgreSQL', () => {
  test('of right answers at once one counts, and a hundred tries at once are five: on PostgreSQL [SC 11, 96]', async () => {
    const db = new Kysely<unknown>({
      dialect: new PostgresDialect({ pool: new Pool({ connectionString: await sharedPostgres() }) }),
    })
    onTestFinished(() => db.destroy())
    await migrateToLatest({ db, tablePrefix: 'codes_test_' })
    await races(new SqlStateStore({ db, tablePrefix: 'codes_test_' }))
  })
})

test('right answers that meet between the comparison and its mark count once [SC 96]', async () => {
  // Holds every try back until four of them are there: all have read the code before one uses it up.
  class Meeting extends MemoryStateStore {
    readonly #here: (() => void)[] = []
    override async increment(key: string, window: { windowMs: number; by?: number }) {
      const counter = await super.increment(key, window)
      if (!key.includes('phone-tries')) return counter
      await new Promise<void>((resolve) => {
        this.#here.push(resolve)
        if (this.#here.length === 4) for (const go of this.#here) go()
      })
      return counter
    }
  }
  const app = await startService({ ...roomy, state: new Meeting() })
  await start(app)
  const replies = await Promise.all(Array.from({ length: 4 }, () => confirm(app, codeOf(app.texts))))
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
})

test('a hundred tries at once are at most five comparisons [SC 17]', async () => {
  // Each try uses another code, one of them the right one, which comes among the last.
  const app = await startService({ ...roomy, verification: { generate: () => '000099' } })
  let successes = 0
  for (let round = 0; round < 5; round += 1) {
    await start(app)
    const tries = Array.from({ length: 100 }, (_, index) => confirm(app, String(index).padStart(6, '0')))
    successes += (await Promise.all(tries)).filter(({ status }) => status === 200).length
    app.clock.set(app.clock.now() + 61_000)
  }
  expect(successes).toBeLessThanOrEqual(1)
})

test('a code has six digits, leading zeros too, and every one is as likely as another [SC 11]', () => {
  const counts = Array.from({ length: 10 }, () => 0)
  for (let index = 0; index < 20_000; index += 1) {
    const code = randomCode(6)
    expect(code).toMatch(/^\d{6}$/)
    counts[Number(code[0])]! += 1
  }
  // Nine degrees of freedom: a fair generator exceeds 40 once in 100,000 runs.
  const chiSquare = counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0)
  expect(chiSquare).toBeLessThan(40)
})

test('a code counts for its number only, in the body only, and is nowhere in the store or the log [SC 16, 19, 20]', async () => {
  const app = await startService()
  await start(app)
  const code = codeOf(app.texts)
  expect(await confirm(app, code, '+15550009999')).toMatchObject(INVALID)
  expect(await app.call('POST', `/verification/phone/confirm/?code=${code}`, { body: { phone } })).toMatchObject({
    status: 400,
  })
  const { inspect } = await import('node:util')
  const told = inspect([app.logs, app.events], { depth: 9 })
  expect(told).not.toContain(code)
  expect(told).not.toContain(phone.slice(2))
  expect(await confirm(app, code)).toMatchObject({ status: 200 })
  expect(await confirm(app, code)).toMatchObject(INVALID)
})

test('numbers are one whatever the notation, and what is no number is refused without a message [SC 21]', async () => {
  const app = await startService()
  await start(app, '+1 (555) 000-1234')
  expect(app.texts[0]?.to).toBe(phone)
  expect(await start(app, '+1-555-000-1234')).toMatchObject({ status: 429 })
  for (const bad of ['', '123456', '1234567890123456', '+1555000123x', '++15550001234', '+1555\n0001234', '١٢٣٤٥٦٧٨']) {
    expect(await start(app, bad), bad).toMatchObject({ status: 400, body: { code: 'InvalidPhone' } })
  }
  expect(app.texts).toHaveLength(1)
})

test('a burst from one client, on one number or into one country ends before a gateway is asked [SC 22]', async () => {
  const app = await startService({ limits: { phonePerClient: { max: 3, windowSeconds: 3600 } } })
  const replies = await Promise.all(Array.from({ length: 10 }, (_, index) => start(app, `+1555000200${index}`)))
  expect(replies.filter(({ status }) => status === 429)).toHaveLength(7)
  expect(replies.find(({ status }) => status === 429)?.headers.get('retry-after')).toMatch(/^\d+$/)
  expect(app.texts).toHaveLength(3)
  const hourly = await startService()
  for (let count = 0; count < 5; count += 1) {
    expect(await start(hourly)).toMatchObject({ status: 200 })
    hourly.clock.set(hourly.clock.now() + 61_000)
  }
  expect(await start(hourly)).toMatchObject({ status: 429 })
  const country = await startService({ limits: { phonePerCountry: { max: 1, windowSeconds: 3600 } } })
  await start(country, '+447700900001')
  expect(await start(country, '+447700900002')).toMatchObject({ status: 429 })
  expect(await start(country, '+4915112345678')).toMatchObject({ status: 200 })
})

test('premium numbers and countries that are not on the list get no message, and the answer is the same [SC 23]', async () => {
  const app = await startService({ verification: { allowedCallingCodes: ['1', '44'] } })
  const sent = await start(app, '+447700900001')
  const refused = await start(app, '+4915112345678')
  const premium = await start(app, '+449098790001')
  for (const reply of [refused, premium]) expect([reply.status, reply.text]).toEqual([sent.status, sent.text])
  expect(app.texts.map(({ to }) => to)).toEqual(['+447700900001'])
})

test('a gateway that fails makes a 503, one that calls the number invalid a 400', async () => {
  const failing = (status: 'failed' | 'invalid-number') => ({
    senders: {
      sms: { name: 'x', send: async () => ({ status, reason: 'secret reason', description: 'no such number' }) },
    },
  })
  const down = await start(await startService(failing('failed')))
  expect(down).toMatchObject({ status: 503, body: { title: 'Service Unavailable' } })
  expect(down.text).not.toContain('secret')
  expect(await start(await startService(failing('invalid-number')))).toMatchObject({
    status: 400,
    body: { code: 'InvalidPhone' },
  })
})

test('a text in a user row is never a verified number: setting one can ask for a confirmation of a moment ago', async () => {
  const app = await startService({ verification: { required: true } })
  const body = { email: 'p@example.com', phone }
  expect(await app.call('POST', '/user/', { body })).toMatchObject(INVALID)
  await start(app)
  await confirm(app, codeOf(app.texts))
  expect(await app.call('POST', '/user/', { body })).toMatchObject({ status: 201 })
  expect(await app.call('POST', '/user/', { body: { ...body, email: 'q@example.com' } })).toMatchObject({ status: 400 })
})

test('a confirmation with a token is bound to its user', async () => {
  const app = await startService({ verification: { required: true } })
  const alice = await app.register('alice')
  const bob = await app.register('bob')
  await start(app)
  await app.call('POST', '/verification/phone/confirm/', {
    token: alice.token,
    body: { phone, code: codeOf(app.texts) },
  })
  const set = (user: { token: string; email: string }) =>
    app.call('PATCH', '/user/current/', { token: user.token, body: { email: user.email, phone } })
  expect(await set(bob)).toMatchObject(INVALID)
  expect(await set(alice)).toMatchObject({ status: 200, body: { phone } })
})

test('a deactivation kills the code that is out', async () => {
  const app = await startService()
  const { id } = await app.register('alice', { phone })
  await start(app)
  const { token } = await app.admin()
  await app.call('DELETE', `/user/${id}/`, { token })
  expect(await confirm(app, codeOf(app.texts))).toMatchObject(INVALID)
})

describe('test numbers', () => {
  const options: Partial<UserServiceOptions> = { verification: { testNumbers: [phone], testCode: '1111' } }

  test('get no message and the fixed code, and each use is told', async () => {
    const app = await startService(options)
    expect(await start(app)).toMatchObject({ status: 200 })
    expect(await confirm(app, '1111')).toMatchObject({ status: 200 })
    expect(app.texts).toHaveLength(0)
    expect(app.events.map(({ type }) => type)).toContain('phone.test-number')
  })

  test('are refused in production without a second switch', async () => {
    const before = process.env['NODE_ENV']
    onTestFinished(() => void (process.env['NODE_ENV'] = before))
    process.env['NODE_ENV'] = 'production'
    await expect(startService(options)).rejects.toMatchObject({
      code: 'ERR_OPTION',
      option: 'verification.testNumbers',
    })
    await startService({ verification: { ...options.verification, allowTestNumbersInProduction: true } })
  })
})

test('Authy can make, send and check the codes, inside the same limits', async () => {
  const calls: unknown[] = []
  const client = {
    phones: {
      startVerification: async (request: object) => void calls.push(request),
      checkVerification: async ({ code }: { code: string }) => ({ valid: code === '424242' }),
    },
  }
  const app = await startService({ verification: { method: authyVerification(client) } })
  expect(await start(app)).toMatchObject({ status: 200 })
  expect(await start(app)).toMatchObject({ status: 429 })
  app.clock.set(app.clock.now() + 61_000)
  await start(app, phone, { resend: true })
  expect(calls).toEqual([
    { phone, via: 'sms', codeLength: 6 },
    { phone, via: 'call', codeLength: 6 },
  ])
  expect(await confirm(app, '111111')).toMatchObject(INVALID)
  expect(await confirm(app, '424242')).toMatchObject({ status: 200 })
})

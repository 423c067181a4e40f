import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { inspect } from 'node:util'
import { jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Logger } from 'passport-outofband'
import { AuthyClient, type AuthyClientOptions } from 'passport-outofband/authy'
import { startRecorder, type Recorder } from '../../support/recorder.js'

const apiKey = 'k3y-0123456789abcdef0123456789ab'
let recorder: Recorder
let client: AuthyClient
beforeEach(async () => {
  recorder = await startRecorder()
  client = new AuthyClient({ apiKey, baseUrl: recorder.url })
})
afterEach(async () => {
  client.close()
  await recorder.close()
})

const found = { success: true }

describe('the options', () => {
  const good = { apiKey }
  test.each([
    ['no key', {}, 'apiKey'],
    ['an empty key', { apiKey: '' }, 'apiKey'],
    ['a key with a line end', { apiKey: `${apiKey}\n` }, 'apiKey'],
    ['a key in a list', { apiKey: [apiKey] }, 'apiKey'],
    ['a misspelt option', { ...good, baseURL: 'https://a.example' }, 'baseURL'],
    ['an unknown option', { ...good, insecure: true }, 'insecure'],
    ['a base URL without TLS', { ...good, baseUrl: 'http://api.authy.com' }, 'baseUrl'],
    ['a deadline of zero', { ...good, timeoutMs: 0 }, 'timeoutMs'],
    ['a switch for certificates', { ...good, tls: { rejectUnauthorized: false } }, 'tls.rejectUnauthorized'],
    ['no options at all', undefined, 'options'],
  ])('that are wrong stop the program, and the error names the option: %s', (_what, options, option) => {
    expect(() => new AuthyClient(options as AuthyClientOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', option }),
    )
  })

  test('the key of a sandbox is not sent to the real service [SC 95]', () => {
    expect(() => new AuthyClient({ apiKey: 'sandbox-0123456789abcdef' })).toThrow(
      expect.objectContaining({ option: 'apiKey' }),
    )
    new AuthyClient({ apiKey: 'sandbox-0123456789abcdef', baseUrl: recorder.url }).close()
  })
})

test('neither the client nor its parts show the key [SC 90]', () => {
  for (const thing of [client, client.users, client.tokens, client.phones, client.oneTouch, client.app])
    for (const text of [inspect(thing, { depth: 10, showHidden: true }), JSON.stringify(thing)])
      expect(text).not.toContain('k3y')
  expect(inspect(client)).toContain(recorder.url)
})

test('two clients in one process keep their keys apart', async () => {
  const other = new AuthyClient({ apiKey: 'another-key', baseUrl: recorder.url })
  recorder.reply(200, { app: { app_id: 3, name: 'Test' }, ...found })
  recorder.reply(200, { app: { app_id: 3, name: 'Test' }, ...found })
  await Promise.all([client.app.details(), other.app.details()])
  expect(recorder.requests.map(({ headers }) => headers['x-authy-api-key']).sort()).toEqual(['another-key', apiKey])
  other.close()
})

test('every call can be given up by a signal, last or beside the options', async () => {
  const reason = new Error('gone')
  const signal = AbortSignal.abort(reason)
  const call = { signal }
  const phone = { phone: '+351911234567' }
  const uuid = '550e8400-e29b-41d4-a716-446655440000'
  const calls = [
    () => client.users.create({ ...phone, email: 'a@example.com' }, call),
    () => client.users.status(1, {}, call),
    () => client.users.status(1, { signal }),
    () => client.users.delete(1, {}, call),
    () => client.users.update(1, { email: 'a@example.com' }, call),
    () => client.users.requestSms(1, {}, call),
    () => client.users.requestSms(1, { force: true, signal }),
    () => client.users.requestCall(1, {}, call),
    () => client.users.requestEmail(1, {}, call),
    () => client.users.generateQr(1, {}, call),
    () => client.users.registerActivity(1, { type: 'banned' }, call),
    () => client.users.registrationStatus('anna', call),
    () => client.users.exportSecret(1, call),
    () => client.users.exportPhoneNumber(1, call),
    () => client.tokens.verify(1, '123456', {}, call),
    () => client.phones.startVerification(phone, call),
    () => client.phones.checkVerification({ ...phone, code: '123456' }, call),
    () => client.phones.verificationStatus({ uuid }, call),
    () => client.phones.info(phone, call),
    () => client.oneTouch.createApprovalRequest(1, { message: 'Hello' }, call),
    () => client.oneTouch.getApprovalRequest(uuid, call),
    () => client.app.details({}, call),
    () => client.app.stats({}, call),
  ]
  for (const given of calls) await expect(given()).rejects.toBe(reason)
  expect(recorder.requests).toEqual([])
})

describe('calls that no recording has', () => {
  test('update changes the e-mail address', async () => {
    recorder.reply(200, { message: 'User was updated successfully', ...found })
    expect(await client.users.update('1635', { email: 'b@example.com' })).toEqual({
      message: 'User was updated successfully',
    })
    expect(recorder.requests[0]).toMatchObject({
      method: 'POST',
      path: '/protected/json/users/1635/update',
      body: '{"email":"b@example.com"}',
    })
  })

  test('requestEmail sends a code by e-mail', async () => {
    recorder.reply(200, { message: 'Email token was sent', email: 'a@example.com', email_id: 'EM1', ...found })
    expect(await client.users.requestEmail(1635)).toMatchObject({ email: 'a@example.com', emailId: 'EM1' })
    expect(recorder.requests[0]).toMatchObject({ method: 'POST', path: '/protected/json/email/1635', body: '{}' })
  })

  test('generateQr sends only what is given', async () => {
    for (const options of [{}, { qrSize: 300, label: 'Bank (ana)' }]) {
      recorder.reply(200, { qr_code: 'https://api.authy.com/qr/1.png', ...found })
      expect(await client.users.generateQr(1635, options)).toMatchObject({ qrCode: 'https://api.authy.com/qr/1.png' })
    }
    expect(recorder.requests.map(({ path, body }) => [path, body])).toEqual([
      ['/protected/json/users/1635/secret', '{}'],
      ['/protected/json/users/1635/secret', '{"label":"Bank (ana)","qr_size":300}'],
    ])
  })

  test('createRegistration makes the JWT of the API reference, and sends nothing', async () => {
    const now = Date.UTC(2027, 0, 15)
    const own = new AuthyClient({ apiKey, baseUrl: recorder.url, runtime: { now: () => now } })
    const registration = await own.users.createRegistration({ customUserId: 'ana', appId: 3, appName: 'Bank' })
    expect(registration.url).toBe(`authy://account?token=${registration.token}`)
    expect(registration.expiresAt).toEqual(new Date(now + 300_000))
    const { payload, protectedHeader } = await jwtVerify(registration.token, new TextEncoder().encode(apiKey), {
      currentDate: new Date(now),
    })
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT' })
    expect(payload).toEqual({
      iss: 'Bank',
      iat: now / 1000,
      exp: now / 1000 + 300,
      context: { custom_user_id: 'ana', authy_app_id: '3' },
    })
    expect(recorder.requests).toEqual([])
    own.close()
  })

  test('registrationStatus encodes the id, and takes "not found" for "not yet"', async () => {
    recorder.reply(404, { message: 'not found', success: false, errors: {}, error_code: '60026' })
    recorder.reply(200, { registration: { status: 'pending' }, ...found })
    recorder.reply(200, { registration: { status: 'completed', authy_id: 217244768 }, ...found })
    recorder.reply(200, { registration: { status: 'rejected' }, ...found })
    const ask = () => client.users.registrationStatus('a b&c=d#e')
    expect(await ask()).toEqual({ status: 'pending' })
    expect(await ask()).toEqual({ status: 'pending' })
    expect(await ask()).toEqual({ status: 'completed', authyId: '217244768' })
    await expect(ask()).rejects.toEqual(expect.objectContaining({ code: 'ERR_PROVIDER_PROTOCOL' }))
    expect(recorder.requests[0]!.query).toBe('custom_user_id=a%20b%26c%3Dd%23e')
  })

  test('exportSecret and exportPhoneNumber read what moves away', async () => {
    recorder.reply(200, { secret: 'JBSWY3DPEHPK3PXP', otp: '123456', ...found })
    expect(await client.users.exportSecret(1635)).toEqual({ secret: 'JBSWY3DPEHPK3PXP', otp: '123456' })
    recorder.reply(200, {
      phone_number: '444-555-6666',
      country_code: '1',
      e164: '+14445556666',
      updated_at: '2021-12-09T15:41:20Z',
    })
    expect(await client.users.exportPhoneNumber(1635)).toEqual({
      phoneNumber: '444-555-6666',
      countryCode: '1',
      e164: '+14445556666',
      updatedAt: new Date('2021-12-09T15:41:20Z'),
    })
    expect(recorder.requests.map(({ path }) => path)).toEqual([
      '/protected/json/users/1635/secret/export',
      '/protected/json/users/1635/phone_number',
    ])
  })

  test('a verification status can be asked for by id', async () => {
    recorder.reply(200, { message: 'Phone Verification status.', status: 'pending', seconds_to_expire: 598, ...found })
    const uuid = 'b8ebcd40-1234-5678-3fb5-0e5d6a065904'
    expect(await client.phones.verificationStatus({ uuid })).toMatchObject({ status: 'pending', secondsToExpire: 598 })
    expect(recorder.requests[0]!.query).toBe(`uuid=${uuid}`)
  })
})

test('force is on when tokens are checked, and switching it off is loud', async () => {
  const warnings: object[] = []
  const quiet = (): void => undefined
  const logger: Logger = { debug: quiet, info: quiet, error: quiet, warn: (details) => warnings.push(details) }
  const loud = new AuthyClient({ apiKey, baseUrl: recorder.url, logger })
  for (const options of [{}, { force: true }, { force: false }]) {
    recorder.reply(200, { token: 'is valid', success: 'true' })
    await loud.tokens.verify(1635, '0000000', options)
  }
  expect(recorder.requests.map(({ query }) => query)).toEqual(['force=true', 'force=true', ''])
  expect(warnings).toHaveLength(1)
  loud.close()
})

test('loading the client loads no SQL, no Redis, no sandbox and no other provider', () => {
  const src = resolve(import.meta.dirname, '../../../src')
  const seen = new Set<string>()
  const packages = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    const source = readFileSync(file, 'utf8').replace(/(?:import|export) type \{[^}]*\} from '[^']+'/g, '')
    for (const [, target = ''] of source.matchAll(/(?:from|import\(?) ?'([^']+)'/g))
      if (target.startsWith('.')) visit(join(dirname(file), target.replace(/\.js$/, '.ts')))
      else packages.add(target)
  }
  visit(join(src, 'providers/authy/index.ts'))
  expect([...packages].filter((name) => !name.startsWith('node:')).sort()).toEqual([
    'jose',
    'libphonenumber-js/max',
    'node-fetch',
    'zod',
  ])
  const strangers = [...seen].filter(
    (file) => !/\/src\/(?:errors|options|runtime|providers\/(?:http[a-z-]*|authy\/[a-z-]+))\.ts$/.test(file),
  )
  expect(strangers).toEqual([])
})

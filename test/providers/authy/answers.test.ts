import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ApprovalError } from 'passport-outofband'
import { AuthyClient } from 'passport-outofband/authy'
import { startRawServer, httpAnswer, jsonAnswer, type RawHandler } from '../../support/raw-server.js'
import { startRecorder, type Recorder } from '../../support/recorder.js'

let recorder: Recorder
let client: AuthyClient
beforeEach(async () => {
  recorder = await startRecorder()
  client = new AuthyClient({ apiKey: 'test-api-key', baseUrl: recorder.url })
})
afterEach(async () => {
  client.close()
  await recorder.close()
})

/** One character every 20 ms. */
const drip: RawHandler = (socket) => {
  const answer = jsonAnswer(goodToken)
  let sent = 0
  const timer = setInterval(() => socket.write(answer.charAt(sent++)), 20)
  socket.once('close', () => clearInterval(timer))
}

const uuid = '550e8400-e29b-41d4-a716-446655440000'
const goodToken = { message: 'Token is valid.', token: 'is valid', success: 'true', device: null }
const approval = {
  _app_name: 'Test',
  _app_serial_id: 46113,
  _authy_id: 1635,
  _id: '589d12e07d558e6b91e9370a',
  _user_email: 'foo@example.com',
  app_id: '58547f6f4014250a11c201f6',
  created_at: '2017-02-10T01:09:52Z',
  notified: false,
  processed_at: '2017-02-10T01:10:00Z',
  seconds_to_expire: 86400,
  status: 'approved',
  updated_at: '2017-02-10T01:10:00Z',
  user_id: '5840a9328aa2fb674c485436',
  uuid,
}

describe('the verdict on a token', () => {
  const verify = () => client.tokens.verify(1635, '1234567')

  test.each([
    [
      'the answer of today',
      { ...goodToken, device: { id: 5, os_type: 'android', registration_date: 1500648405, extra: [] } },
    ],
    ['the answer of old', { success: true, token: 'is valid' }],
    ['an answer with unknown fields', { ...goodToken, news: { a: 1 } }],
    ['an answer whose device makes no sense', { ...goodToken, device: { id: [], os_type: 5, registration_date: 'x' } }],
    ['an answer whose device is none', { ...goodToken, device: 'phone' }],
  ])('is good for %s', async (_what, body) => {
    recorder.reply(200, body)
    expect(await verify()).toMatchObject({ valid: true })
  })

  test.each([
    ['a wrong token', { token: 'is invalid', success: false, errors: {}, error_code: '60020' }, 'wrong'],
    ['a token that was used', { message: 'Token was used recently', success: false, error_code: '60019' }, 'used'],
    ['a wrong token, code as a number', { success: false, error_code: 60020 }, 'wrong'],
    ['a wrong token of 2014', { errors: { token: 'is invalid' }, success: false }, 'wrong'],
  ])('is bad, and no error, for %s', async (_what, body, reason) => {
    recorder.reply(401, body)
    expect(await verify()).toEqual({ valid: false, reason })
  })

  // What is not exactly the documented success lets nobody in.
  test.each([
    [200, {}],
    [200, []],
    [200, 'is valid'],
    [200, null],
    [200, { ...goodToken, success: 'false' }],
    [200, { ...goodToken, success: false }],
    [200, { ...goodToken, success: 1 }],
    [200, { ...goodToken, success: undefined }],
    [200, { ...goodToken, success: 'True' }],
    [200, { ...goodToken, token: undefined }],
    [200, { ...goodToken, token: 'is invalid' }],
    [200, { ...goodToken, token: 'is valid ' }],
    [200, { ...goodToken, token: ['is valid'] }],
    [200, { success: true, nested: { token: 'is valid' }, text: '"token":"is valid"' }],
    [200, { data: goodToken }],
    [200, '<html>"token":"is valid"</html>'],
    [200, '{"token":"is valid","success":"tr'],
    [201, goodToken],
    [204, ''],
    [302, goodToken],
    [400, goodToken],
    [401, goodToken],
    [401, { success: false, error_code: '60001', message: 'Invalid API key' }],
    [404, { success: false, error_code: '60016' }],
    [429, goodToken],
    [500, goodToken],
    [503, { success: false, error_code: '60017', message: 'User has been suspended.' }],
  ])('is an error for HTTP %i with %j [SC 86]', async (status, body) => {
    recorder.reply(status, body)
    const outcome = await verify().catch((error: unknown) => error)
    expect(outcome).toBeInstanceOf(ApprovalError)
  })

  test('is never good for any other answer, whatever its shape [SC 86]', async () => {
    const success = fc.constantFrom(true, 'true', false, 'false', 0, 1, null, {})
    const token = fc.oneof(fc.constantFrom('is valid', 'is invalid', true, null, ['is valid']), fc.string())
    const body = fc.oneof(
      fc.json(),
      fc.record({ success, token, message: fc.string() }).map((value) => JSON.stringify(value)),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(200, 202, 401, 500), body, async (status, text) => {
        recorder.reply(status, text)
        const outcome: unknown = await verify().catch((error: unknown) => error)
        const parsed: unknown = JSON.parse(text)
        const really =
          status === 200 &&
          typeof parsed === 'object' &&
          parsed !== null &&
          Reflect.get(parsed, 'token') === 'is valid' &&
          [true, 'true'].includes(Reflect.get(parsed, 'success') as boolean)
        if (really) expect(outcome).toMatchObject({ valid: true })
        else
          expect(outcome).toSatisfy((value) => value instanceof ApprovalError || !(value as { valid: boolean }).valid)
      }),
      { numRuns: 150 },
    )
  })
})

describe('an upstream that misbehaves lets nobody in, and no call outlives its deadline [SC 84]', () => {
  const body = JSON.stringify(goodToken)
  const hostile: readonly (readonly [string, RawHandler])[] = [
    ['hangs', () => undefined],
    ['resets', (socket) => socket.resetAndDestroy()],
    ['stops in the middle', (socket) => socket.write(jsonAnswer(goodToken).slice(0, -5))],
    ['closes in the middle', (socket) => socket.end(jsonAnswer(goodToken).slice(0, -5))],
    ['drips', drip],
    ['answers 500', (socket) => socket.write(jsonAnswer(goodToken, 500))],
    ['answers 429', (socket) => socket.write(jsonAnswer(goodToken, 429))],
    ['answers HTML', (socket) => socket.write(httpAnswer(200, { 'content-type': 'text/html' }, body))],
    [
      'answers half a JSON',
      (socket) => socket.write(httpAnswer(200, { 'content-type': 'application/json' }, body.slice(0, -1))),
    ],
    [
      'answers 100 MB',
      (socket) => socket.write(httpAnswer(200, { 'content-length': '104857600' }) + ' '.repeat(2_000_000)),
    ],
    ['redirects', (socket) => socket.write(httpAnswer(307, { location: 'http://127.0.0.1:1/' }))],
  ]
  test.each(hostile)('%s', async (_what, handler) => {
    const server = await startRawServer(handler)
    const own = new AuthyClient({ apiKey: 'test-api-key', baseUrl: server.url, timeoutMs: 150 })
    const outcome = await own.tokens.verify(1635, '1234567').catch((error: unknown) => error)
    expect(outcome).toBeInstanceOf(ApprovalError)
    // A token is good once: asking again could turn a good one into a bad one.
    expect(server.requests.length).toBeLessThanOrEqual(1)
    own.close()
    await server.close()
  })
})

test('a refusal carries the code and the sentence of the service, and not the token that it quotes [SC 19]', async () => {
  recorder.reply(404, { message: 'Nobody has 1234567 here', success: false, errors: {}, error_code: '60016' })
  await expect(client.tokens.verify(1635, '1234567')).rejects.toEqual(
    expect.objectContaining({
      code: 'ERR_PROVIDER_REJECTED',
      status: 404,
      providerCode: '60016',
      providerMessage: 'Nobody has [redacted] here',
    }),
  )
})

test('an outage is another error than a refusal', async () => {
  recorder.reply(503, { message: 'SMS token was not sent', success: false, errors: {}, error_code: '60015' })
  await expect(client.users.requestSms(1635)).rejects.toEqual(
    expect.objectContaining({ code: 'ERR_PROVIDER_REJECTED', providerCode: '60015' }),
  )
  recorder.reply(503, '<html>', { 'content-type': 'text/html' })
  await expect(client.users.requestSms(1635)).rejects.toEqual(
    expect.objectContaining({ code: 'ERR_PROVIDER_UNREACHABLE', reason: 'HTTP_503' }),
  )
  recorder.reply(429, { message: 'Too many', success: false, error_code: '60003' }, { 'retry-after': '30' })
  await expect(client.users.requestSms(1635)).rejects.toEqual(
    expect.objectContaining({ code: 'ERR_PROVIDER_RATE_LIMITED', providerCode: '60003', retryAfterMs: 30_000 }),
  )
})

test('a success of 200 that says success: false is a refusal', async () => {
  recorder.reply(200, { message: 'User was added to remove.', success: false })
  await expect(client.users.delete(1635)).rejects.toEqual(
    expect.objectContaining({ code: 'ERR_PROVIDER_REJECTED', status: 200 }),
  )
})

test('a code that was not sent because the person has the app says so', async () => {
  const message = 'Ignored: SMS is not needed for smartphones.'
  recorder.reply(200, { message, cellphone: '+57-XXX-XXX-XX12', device: 'android', ignored: true, success: true })
  recorder.reply(200, {
    message: 'SMS token was sent',
    cellphone: '+57-XXX-XXX-XX12',
    device: null,
    ignored: null,
    success: true,
  })
  recorder.reply(200, { message: 'SMS token was sent', cellphone: '+57-XXX-XXX-XX12', ignored: 'no', success: true })
  expect(await client.users.requestSms(1635)).toMatchObject({ ignored: true, device: 'android' })
  expect(await client.users.requestSms(1635)).toMatchObject({ ignored: false, device: undefined })
  await expect(client.users.requestSms(1635)).rejects.toEqual(
    expect.objectContaining({ code: 'ERR_PROVIDER_PROTOCOL' }),
  )
})

describe('the verdict on a phone code', () => {
  const check = () => client.phones.checkVerification({ phone: '7754615609', countryCode: 1, code: '123456' })
  test('is a result when it is wrong, or nothing is pending', async () => {
    recorder.reply(401, { message: 'Verification code is incorrect', success: false, errors: {}, error_code: '60022' })
    expect(await check()).toEqual({ valid: false, reason: 'wrong' })
    recorder.reply(404, { message: 'No pending verifications', success: false, errors: {}, error_code: '60023' })
    expect(await check()).toEqual({ valid: false, reason: 'none-pending' })
    recorder.reply(200, { message: 'Verification code is correct.', success: true })
    expect(await check()).toMatchObject({ valid: true })
  })

  test.each([
    [200, { success: true }],
    [200, { success: true, message: 'Verification code is incorrect.' }],
    [401, { success: false, error_code: '60001' }],
    [404, { success: false }],
    [200, { success: 'false', message: 'Verification code is correct.' }],
  ])('is an error for HTTP %i with %j [SC 86]', async (status, body) => {
    recorder.reply(status, body)
    await expect(check()).rejects.toBeInstanceOf(ApprovalError)
  })
})

describe('the state of an approval request', () => {
  const read = () => client.oneTouch.getApprovalRequest(uuid)

  test('is one of four, with dates', async () => {
    for (const status of ['pending', 'approved', 'denied', 'expired']) {
      recorder.reply(200, { approval_request: { ...approval, status }, success: true })
      expect(await read()).toMatchObject({ status, authyId: '1635', processedAt: new Date('2017-02-10T01:10:00Z') })
    }
    recorder.reply(200, {
      approval_request: {
        uuid,
        status: 'pending',
        _authy_id: '1635',
        created_at: approval.created_at,
        processed_at: null,
      },
      success: true,
    })
    expect(await read()).toMatchObject({ status: 'pending', authyId: '1635', processedAt: undefined })
  })

  test.each([
    ['another state', { status: 'allowed' }],
    ['a state in capitals', { status: 'Approved' }],
    ['a state in a list', { status: ['approved'] }],
    ['no state', { status: undefined }],
    ['another request', { uuid: '650e8400-e29b-41d4-a716-446655440000' }],
    ['no user', { _authy_id: undefined }],
    ['a user id that a number can not hold', { _authy_id: 2 ** 60 }],
    ['a date that is none', { created_at: 'yesterday' }],
  ])('is an error for %s [SC 31, 86]', async (_what, change) => {
    recorder.reply(200, { approval_request: { ...approval, ...change }, success: true })
    await expect(read()).rejects.toEqual(expect.objectContaining({ code: 'ERR_PROVIDER_PROTOCOL' }))
  })

  test('is not what `success` says: a denied request is read successfully', async () => {
    recorder.reply(200, { approval_request: { ...approval, status: 'denied' }, success: true })
    expect((await read()).status).toBe('denied')
  })
})

test('the status of another user is no answer', async () => {
  const status = {
    authy_id: 9999,
    confirmed: true,
    registered: true,
    country_code: 1,
    phone_number: 'X',
    devices: [],
    has_hard_token: false,
  }
  recorder.reply(200, { status, message: 'User status.', success: true })
  await expect(client.users.status(1635)).rejects.toEqual(expect.objectContaining({ code: 'ERR_PROVIDER_PROTOCOL' }))
})

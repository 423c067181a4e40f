import { createHmac } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { type Sandbox, startSandbox } from 'passport-outofband/sandbox'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RawAnswer, rawRequest } from './raw-client.js'

let sandbox: Sandbox

beforeEach(async () => {
  sandbox = await startSandbox({ authy: { rateLimit: false } })
})
afterEach(() => sandbox.close())

const jsonType = { 'content-type': 'application/json' }
const formType = { 'content-type': 'application/x-www-form-urlencoded' }

function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Uint8Array,
): Promise<RawAnswer> {
  return rawRequest(sandbox.authy.url, method, path, { 'X-Authy-API-Key': sandbox.authy.apiKey, ...headers }, body)
}
const get = (path: string) => send('GET', path)
const post = (path: string, body: object) => send('POST', path, jsonType, JSON.stringify(body))

async function register(cellphone = '201-555-0100', extra: object = {}): Promise<number> {
  const answer = await post('/protected/json/users/new', {
    user: { email: 'ada@example.com', cellphone, country_code: 1 },
    send_install_link_via_sms: false,
    ...extra,
  })
  expect(answer.status).toBe(200)
  return (answer.json['user'] as { id: number }).id
}
async function withApp(): Promise<{ id: number; deviceId: string }> {
  const id = await register()
  const device = await sandbox.phone.enrol({ reference: String(id) })
  return { id, deviceId: device.id }
}

test('bodies are compact JSON, of the documented type and in the documented order', async () => {
  const id = await register()
  expect((await get(`/protected/json/sms/${id}`)).text).toBe(
    '{"success":true,"message":"SMS token was sent","cellphone":"+1-XXX-XXX-XX00"}',
  )
  const { code } = await sandbox.phone.waitForMessage({ kind: 'sms' })
  const good = await get(`/protected/json/verify/${code}/${id}?force=true`)
  expect(good.type).toBe('application/json;charset=utf-8')
  expect(good.text).toMatch(
    /^\{"message":"Token is valid.","token":"is valid","success":"true","device":\{"id":null,"os_type":"sms"/,
  )
  const bad = await get(`/protected/json/verify/1234567/${id}?force=true`)
  expect(bad.text).toBe(
    '{"message":"Token is invalid","token":"is invalid","success":false,"errors":{"message":"Token is invalid"},"error_code":"60020"}',
  )
  expect((await get('/protected/json/users/99/status')).text).toBe(
    '{"message":"User not found.","success":false,"errors":{"message":"User not found."},"error_code":"60026"}',
  )
})

test('takes the key from the header first, then the query, then the body, and no other', async () => {
  const path = '/protected/json/app/details'
  const bare = (target: string, headers: Record<string, string> = {}, body?: string) =>
    rawRequest(sandbox.authy.url, 'GET', target, headers, body)
  const key = sandbox.authy.apiKey
  expect((await bare(path)).json).toMatchObject({ error_code: '60001' })
  expect((await bare(`${path}?api_key=${key}`)).status).toBe(200)
  expect((await bare(path, formType, `api_key=${key}`)).status).toBe(200)
  expect((await bare(`${path}?api_key=${key}`, { 'X-Authy-API-Key': 'wrong' })).status).toBe(401)
  expect((await bare(`${path}?api_key=wrong`, formType, `api_key=${key}`)).status).toBe(401)
  expect((await bare('/protected/json/nothing')).status).toBe(401)
})

test('reads parameters from the query, from JSON and from a form, also on a GET, the query being stronger', async () => {
  const forms: readonly [string, Record<string, string>, string | undefined][] = [
    ['?user[email]=a@b.com&user%5Bcellphone%5D=2015550101&user[country_code]=1', {}, undefined],
    ['', formType, 'user%5Bemail%5D=a%40b.com&user%5Bcellphone%5D=2015550101&user%5Bcountry_code%5D=1'],
    ['', jsonType, '{"user":{"email":"a@b.com","cellphone":"2015550101","country_code":"1"}}'],
    ['', {}, '{"user":{"email":"a@b.com","cellphone":"2015550101","country_code":1}}'],
  ]
  for (const [query, headers, body] of forms) {
    expect((await send('POST', `/protected/json/users/new${query}`, headers, body)).json).toMatchObject({
      user: { id: 1635 },
    })
  }
  const number = 'phone_number=2015550101&country_code=1'
  expect((await send('GET', '/protected/json/phones/info', formType, number)).status).toBe(200)
  const strong = await send('GET', '/protected/json/phones/info?country_code=0', formType, number)
  expect(strong.json).toMatchObject({ error_code: '60078' })
})

test.each<[string, string, Record<string, string>, string | Uint8Array, number, string]>([
  ['a body that is no UTF-8', '/protected/json/users/new', formType, Uint8Array.from([0x61, 0x3d, 0xff]), 400, '60005'],
  ['percent-encoding that is no UTF-8', '/protected/json/users/new?a=%ff', {}, '', 400, '60005'],
  ['half a JSON', '/protected/json/users/new', jsonType, '{"user":', 400, '60002'],
  ['a JSON array', '/protected/json/users/new', jsonType, '[]', 400, '60002'],
  ['a body of more than 64 KiB', '/protected/json/users/new', jsonType, ' '.repeat(65_537), 400, '60002'],
  ['XML', '/protected/xml/users/new', {}, '', 400, '60002'],
  ['a path that is none', '/protected/json/users/newer', {}, '', 404, '60002'],
  ['nothing of the API', '/', {}, '', 404, '60002'],
  [
    'arrays and objects for strings',
    '/protected/json/users/new',
    jsonType,
    '{"user":{"email":["a@b.com"],"cellphone":{},"country_code":[1]}}',
    400,
    '60027',
  ],
  ['__proto__', '/protected/json/users/new?__proto__[email]=a&user[__proto__][email]=b', {}, '', 400, '60027'],
])('refuses %s', async (_what, path, headers, body, status, code) => {
  const answer = await send('POST', path, headers, body)
  expect([answer.status, answer.json['error_code']]).toEqual([status, code])
  expect(answer.json).toMatchObject({ success: false, errors: { message: expect.any(String) } })
})

test('never decodes a path or resolves its dots', async () => {
  const id = await register()
  const { code } = sandbox.phone.code((await sandbox.phone.enrol({ reference: String(id) })).id)
  const targets: readonly [string, number, string][] = [
    [`/protected/json/verify/${code}%2F${id}/${id}`, 401, '60020'],
    [`/protected/json/verify/..%2Fsms/${id}`, 401, '60020'],
    [`/protected/json/verify/../sms/${id}`, 404, '60002'],
    [`/protected/json/sms/..`, 404, '60026'],
    [`/protected/json/sms/%31635`, 404, '60026'],
    [`/protected/json/sms/-5`, 404, '60026'],
    // Other spellings of the number that the id is.
    [`/protected/json/sms/0x663`, 404, '60026'],
    [`/protected/json/sms/1.635e3`, 404, '60026'],
    [`/protected/json/sms/01635`, 404, '60026'],
    [`/protected/json/users/${id}/../9/status`, 404, '60002'],
    [`/protected/json/users/%2e%2e/status`, 404, '60026'],
    [`/protected/json/users/True/status`, 404, '60026'],
    [`/protected/json/verify/123456789012345/${id}`, 401, '60020'],
    [`/protected/json/verify/12/${id}`, 401, '60020'],
    [`/protected/json/verify/1234567/99`, 404, '60016'],
    [`/onetouch/json/approval_requests/..`, 404, '60049'],
  ]
  for (const [target, status, error] of targets) {
    const answer = await get(target)
    expect([target, answer.status, answer.json['error_code']]).toEqual([target, status, error])
  }
  expect(sandbox.phone.messages()).toEqual([])
})

test('the codes are RFC 6238 codes of the seed that the export shows; each works once, one step either way', async () => {
  const { id, deviceId } = await withApp()
  const exported = await get(`/protected/json/users/${id}/secret/export`)
  const secret = Secret.fromBase32(String(exported.json['secret']))
  expect(secret.bytes).toHaveLength(20)
  const totp = new TOTP({ secret, algorithm: 'SHA1', period: 30, digits: 7 })
  const now = () => sandbox.clock.now()
  expect(sandbox.phone.code(deviceId).code).toBe(totp.generate({ timestamp: now() }))
  expect(new TOTP({ secret, digits: 6 }).generate({ timestamp: now() })).toBe(exported.json['otp'])
  const check = async (offset: number) =>
    (await get(`/protected/json/verify/${totp.generate({ timestamp: now() + offset * 30_000 })}/${id}?force=true`)).json
  expect(await check(-2)).toMatchObject({ error_code: '60020' })
  expect(await check(2)).toMatchObject({ error_code: '60020' })
  for (const offset of [-1, 0, 1]) {
    expect(await check(offset)).toMatchObject({ token: 'is valid', device: { os_type: 'android' } })
    expect(await check(offset)).toMatchObject({ error_code: '60019' })
  }
})

test('without force any token is good for somebody who never used Authy, and only for them', async () => {
  const id = await register()
  const verify = (force: string) => get(`/protected/json/verify/7654321/${id}${force}`)
  expect((await verify('')).status).toBe(200)
  expect((await verify('?force=false')).status).toBe(200)
  for (const spelled of ['true', 'True', '1']) expect((await verify(`?force=${spelled}`)).status).toBe(401)
  sandbox.authy.changeUser(id, { registered: true })
  expect((await verify('')).status).toBe(401)
})

test('the magic values of the old sandbox work, and can be switched off', async () => {
  const id = await register()
  expect((await get(`/protected/json/verify/0000000/${id}?force=true`)).status).toBe(200)
  const strict = await startSandbox({ authy: { magicValues: false, oldAnswers: true } })
  try {
    const headers = { 'X-Authy-API-Key': strict.authy.apiKey, ...jsonType }
    const user = '{"user":{"email":"a@b.com","cellphone":"2015550101","country_code":1}}'
    await rawRequest(strict.authy.url, 'POST', '/protected/json/users/new', headers, user)
    const refused = await rawRequest(strict.authy.url, 'GET', '/protected/json/verify/0000000/1635?force=true', headers)
    expect(refused.status).toBe(401)
    const old = await rawRequest(strict.authy.url, 'GET', '/protected/json/verify/0000000/1635', headers)
    expect(old.text).toBe('{"message":"Token is valid.","token":"is valid","success":true}')
  } finally {
    await strict.close()
  }
})

test('limits the codes sent to one person, and lifts the limit by itself', async () => {
  const limited = await startSandbox({ authy: { rateLimit: { requestsPerMinute: 8 } } })
  try {
    const headers = { 'X-Authy-API-Key': limited.authy.apiKey, ...jsonType }
    const user = '{"user":{"email":"a@b.com","cellphone":"2015550101","country_code":1}}'
    await rawRequest(limited.authy.url, 'POST', '/protected/json/users/new', headers, user)
    const sms = () => rawRequest(limited.authy.url, 'GET', '/protected/json/sms/1635', headers)
    const codes = new Set<string | undefined>()
    for (let turn = 0; turn < 5; turn += 1) {
      expect((await sms()).status).toBe(200)
      codes.add(limited.phone.messages({ kind: 'sms' })[0]?.code)
    }
    expect(codes.size).toBe(1)
    expect((await sms()).json).toMatchObject({ error_code: '60003' })
    limited.clock.advance(601_000)
    expect((await sms()).status).toBe(200)
    for (let turn = 0; turn < 7; turn += 1) await sms()
    const details = await rawRequest(limited.authy.url, 'GET', '/protected/json/app/details', headers)
    expect(details.status).toBe(200)
    expect((await sms()).status).toBe(429)
  } finally {
    await limited.close()
  }
})

test('a phone verification lives ten minutes, keeps its code on a restart, and ends after five wrong tries', async () => {
  const start = () =>
    post('/protected/json/phones/verification/start', { via: 'sms', country_code: 1, phone_number: '123-456-7890' })
  const check = (code: string) =>
    get(`/protected/json/phones/verification/check?country_code=1&phone_number=123-456-7890&verification_code=${code}`)
  expect((await start()).json).toMatchObject({
    message: 'Text message sent to +1 123-456-7890.',
    seconds_to_expire: 600,
  })
  const [{ code = '' } = {}] = sandbox.phone.messages()
  expect(code).toMatch(/^[0-9]{4}$/)
  await start()
  expect(sandbox.phone.messages()[0]?.code).toBe(code)
  for (let turn = 0; turn < 5; turn += 1) expect((await check('99999')).json).toMatchObject({ error_code: '60022' })
  expect((await check(code)).json).toMatchObject({ error_code: '60003' })
  sandbox.clock.advance(600_001)
  expect((await check(code)).json).toMatchObject({
    error_code: '60023',
    message: 'No pending verifications for +1 123-456-7890 found.',
  })
  await start()
  expect((await check(sandbox.phone.messages()[0]?.code ?? '')).json).toMatchObject({
    message: 'Verification code is correct.',
  })
  expect((await get('/protected/json/phones/verification/status')).json).toMatchObject({ error_code: '60042' })
})

test('an approval expires by the clock, and a final state never changes', async () => {
  const { id } = await withApp()
  const create = async (extra: object) =>
    (await post(`/onetouch/json/users/${id}/approval_requests`, { message: 'Pay?', ...extra })).json
  const read = async (uuid: string) =>
    (await get(`/onetouch/json/approval_requests/${uuid}`)).json['approval_request'] as Record<string, unknown>
  const uuidOf = (json: RawAnswer['json']) => (json['approval_request'] as { uuid: string }).uuid
  const short = uuidOf(await create({ seconds_to_expire: 60 }))
  const never = uuidOf(await create({ seconds_to_expire: '0' }))
  const usual = uuidOf(await create({ seconds_to_expire: null }))
  expect(await read(usual)).toMatchObject({ seconds_to_expire: 86_400, status: 'pending', processed_at: null })
  await sandbox.phone.approve(usual)
  sandbox.clock.advance(90_000_000)
  const expired = await read(short)
  expect(expired['status']).toBe('expired')
  expect(expired['processed_at']).toBe(expired['updated_at'])
  expect(await read(never)).toMatchObject({ status: 'pending' })
  expect(await read(usual)).toMatchObject({ status: 'approved' })
  await expect(sandbox.phone.approve(short)).rejects.toThrow()
  await expect(sandbox.phone.deny(usual)).rejects.toThrow()
})

test.each<[string, object, string]>([
  ['no message', {}, 'message'],
  ['a blank message', { message: ' ' }, 'message'],
  ['a message in an array', { message: ['Pay?'] }, 'message'],
  ['a negative expiry', { message: 'x', seconds_to_expire: -1 }, 'seconds_to_expire'],
  ['a broken expiry', { message: 'x', seconds_to_expire: 1.5 }, 'seconds_to_expire'],
  ['an expiry in an array', { message: 'x', seconds_to_expire: [120] }, 'seconds_to_expire'],
  ['details that are a text', { message: 'x', details: 'Place' }, 'details'],
  ['nested details', { message: 'x', hidden_details: { a: { b: 1 } } }, 'hidden_details'],
  ['a logo without a URL', { message: 'x', logos: [{ res: 'default' }] }, 'logos'],
])('refuses an approval request with %s', async (_what, body, name) => {
  const { id } = await withApp()
  const answer = await post(`/onetouch/json/users/${id}/approval_requests`, body)
  expect(answer.json).toMatchObject({
    error_code: '60004',
    message: expect.stringContaining(`Invalid parameter: ${name} - `),
  })
  expect(sandbox.phone.pushes()).toEqual([])
})

test('asks nobody who is unknown, has no app, or is suspended', async () => {
  const ask = (id: number) => post(`/onetouch/json/users/${id}/approval_requests`, { message: 'Pay?' })
  expect((await ask(99)).json).toMatchObject({ error_code: '60026' })
  const id = await register()
  expect(await ask(id)).toMatchObject({ status: 404, json: { error_code: '60050' } })
  const nothing = await post(`/onetouch/json/users/${id}/approval_requests`, {})
  expect(nothing).toMatchObject({ status: 400, json: { error_code: '60004' } })
  sandbox.authy.changeUser(id, { registered: true })
  expect(await ask(id)).toMatchObject({ status: 404, json: { error_code: '60051' } })
  await sandbox.phone.enrol({ reference: String(id) })
  sandbox.authy.changeUser(id, { suspended: true })
  expect(await ask(id)).toMatchObject({ status: 503, json: { error_code: '60017' } })
  sandbox.authy.switches.oneTouchEnabled = false
  expect(await ask(id)).toMatchObject({ status: 403, json: { error_code: '60065' } })
})

test('says what is switched off: texts, calls, a country, an account, a number', async () => {
  const id = await register()
  const { switches } = sandbox.authy
  const codeOf = async (path: string) => (await get(path)).json['error_code']
  switches.smsEnabled = false
  switches.callsEnabled = false
  expect([await codeOf(`/protected/json/sms/${id}`), await codeOf(`/protected/json/call/${id}`)]).toEqual([
    '60007',
    '60006',
  ])
  Object.assign(switches, { smsEnabled: true, callsEnabled: true, bannedCountries: ['1'] })
  expect(await codeOf(`/protected/json/sms/${id}`)).toBe('60013')
  switches.bannedCountries = []
  sandbox.authy.changeUser(id, { smsBlocked: true })
  expect(await get(`/protected/json/sms/${id}`)).toMatchObject({
    status: 503,
    json: { message: 'SMS token was not sent' },
  })
  const start = async () =>
    (await post('/protected/json/phones/verification/start', { country_code: '1', phone_number: '2015550177' })).json[
      'error_code'
    ]
  sandbox.authy.setNumber('+12015550177', { type: 'landline' })
  expect(await start()).toBe('60082')
  sandbox.authy.setNumber('+12015550177', { provisioned: false, known: false })
  expect(await start()).toBe('60083')
  expect(await codeOf('/protected/json/phones/info?country_code=1&phone_number=2015550177')).toBe('60025')
  switches.accountSuspended = true
  expect(await get(`/protected/json/sms/${id}`)).toMatchObject({ status: 503, json: { error_code: '60060' } })
})

test('registers somebody without phone and e-mail by the text of a QR code', async () => {
  const status = () => get('/protected/json/registrations/status?custom_user_id=a%20b%26c')
  const sign = (claims: object, key = sandbox.authy.apiKey, alg = 'HS256') => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${part({ alg, typ: 'JWT' })}.${part(claims)}`
    return `authy://account?token=${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
  }
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: 'Sandbox', iat: now, exp: now + 300, context: { custom_user_id: 'a b&c', authy_app_id: '3' } }
  expect((await status()).json).toEqual({ registration: { status: 'pending' }, success: true })
  const bad: readonly (readonly [string, RegExp])[] = [
    [sign(claims, 'sandboxother'), /60101/],
    [sign(claims, sandbox.authy.apiKey, 'none'), /60101/],
    [sign({ ...claims, exp: now - 1 }), /60086/],
    [sign({ ...claims, context: { ...claims.context, authy_app_id: '4' } }), /60101/],
    ['authy://account?token=a.b', /60101/],
  ]
  for (const [link, code] of bad) await expect(sandbox.phone.enrol(link)).rejects.toThrow(code)
  const device = await sandbox.phone.enrol(sign(claims))
  expect(device.owner).toBe('a b&c')
  const { registration } = (await status()).json as { registration: { status: string; authy_id: number } }
  expect(registration.status).toBe('completed')
  const created = await post(`/onetouch/json/users/${registration.authy_id}/approval_requests`, { message: 'Hello?' })
  expect(created.status).toBe(200)
})

test('a removed user works for a day, and then is gone', async () => {
  const id = await register()
  const path = `/protected/json/users/${id}/status`
  for (const spelled of [`/users/${id}/remove`, `/users/${id}/delete`, `/users/delete/${id}`]) {
    expect((await send('POST', `/protected/json${spelled}`)).json).toEqual({
      message: 'User removed from application',
      success: true,
    })
  }
  expect((await get(path)).json).toMatchObject({ status: { account_disabled: true } })
  sandbox.clock.advance(24 * 3600 * 1000)
  expect((await get(path)).json).toMatchObject({ error_code: '60026' })
})

test('masks numbers as the service does, changes e-mails, and sends codes by mail', async () => {
  const ten = await register('201-555-9302')
  expect((await get(`/protected/json/users/${ten}/status`)).json).toMatchObject({
    status: { phone_number: 'XXX-XXX-9302' },
  })
  const nine = await register('911234567')
  expect((await get(`/protected/json/users/${nine}/status`)).json).toMatchObject({
    status: { phone_number: 'XX-XXX-4567' },
  })
  expect((await post(`/protected/json/users/${ten}/update`, { email: 'new@example.com' })).status).toBe(200)
  expect((await post(`/protected/json/users/${ten}/update`, { email: 'nonsense' })).json).toMatchObject({
    error_code: '60038',
  })
  expect((await post(`/protected/json/email/${ten}`, {})).json).toMatchObject({
    email: 'new@example.com',
    email_id: expect.stringMatching(/^EM[0-9a-f]{32}$/),
  })
  const { code } = await sandbox.phone.waitForMessage({ kind: 'mail', to: 'new@example.com' })
  expect((await get(`/protected/json/verify/${code}/${ten}?force=true`)).status).toBe(200)
  expect((await get(`/protected/json/users/${ten}/phone_number`)).json).toMatchObject({
    e164: '+12015559302',
    phone_number: '201-555-9302',
  })
})

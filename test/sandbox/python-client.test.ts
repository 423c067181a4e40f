import { type Sandbox, startSandbox } from 'passport-outofband/sandbox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RawAnswer, rawRequest } from './raw-client.js'

// The official Python client (authy 2.2.6) as it is on the wire: parameters of a GET in the query, JSON bodies on POST,
// booleans spelled as Python does, a substring of the body for a verdict.
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox()
})
afterAll(() => sandbox.close())

const headers = () => ({
  'User-Agent': 'AuthyPython/2.2.6 (Linux; Python 3.11)',
  'Accept-Encoding': 'gzip, deflate',
  Accept: '*/*',
  Connection: 'keep-alive',
  'X-Authy-API-Key': sandbox.authy.apiKey,
})

function get(path: string): Promise<RawAnswer> {
  return rawRequest(sandbox.authy.url, 'GET', path, headers())
}
function post(path: string, body: string): Promise<RawAnswer> {
  return rawRequest(sandbox.authy.url, 'POST', path, { ...headers(), 'Content-Type': 'application/json' }, body)
}
const isOk = (answer: RawAnswer) => answer.status === 200
const tokenIsOk = (answer: RawAnswer) => answer.status === 200 && answer.text.includes('"token":"is valid"')

test('the Python client gets through its whole life', async () => {
  // Python prints JSON with blanks.
  const created = await post(
    '/protected/json/users/new',
    '{"user": {"email": "ada@example.com", "cellphone": "201-555-0100", "country_code": 1}, "send_install_link_via_sms": false}',
  )
  expect(isOk(created)).toBe(true)
  const { id } = created.json['user'] as { id: number }
  expect(sandbox.phone.messages()).toEqual([])

  expect(isOk(await get(`/protected/json/users/${id}/status`))).toBe(true)
  expect(isOk(await get(`/protected/json/sms/${id}?force=True`))).toBe(true)
  const { code } = await sandbox.phone.waitForMessage({ kind: 'sms' })
  expect(tokenIsOk(await get(`/protected/json/verify/1234567/${id}?force=True`))).toBe(false)
  expect(tokenIsOk(await get(`/protected/json/verify/${code}/${id}?force=True`))).toBe(true)
  expect(tokenIsOk(await get(`/protected/json/verify/${code}/${id}?force=True`))).toBe(false)
  expect(isOk(await get(`/protected/json/call/${id}?force=False`))).toBe(true)

  const start = '{"country_code": 1, "phone_number": "201-555-0100", "via": "sms", "locale": "es", "code_length": 4}'
  const started = await post('/protected/json/phones/verification/start', start)
  expect(started.json).toMatchObject({ success: true, message: expect.stringContaining('+1 201-555-0100') })
  const sent = await sandbox.phone.waitForMessage({ kind: 'sms', text: /[0-9]{4}$/ })
  const check = `country_code=1&phone_number=201-555-0100&verification_code=${sent.code}`
  expect(isOk(await get(`/protected/json/phones/verification/check?${check}`))).toBe(true)
  expect(isOk(await get('/protected/json/phones/info?country_code=1&phone_number=201-555-0100'))).toBe(true)

  const device = await sandbox.phone.enrol({ phone: '+12015550100' })
  const approval = await post(
    `/onetouch/json/users/${id}/approval_requests`,
    '{"message": "Login requested", "details": {"username": "Bill"}, "hidden_details": {}, "logos": null, "seconds_to_expire": null}',
  )
  const { uuid } = approval.json['approval_request'] as { uuid: string }
  await sandbox.phone.approve(uuid)
  const status = await get(`/onetouch/json/approval_requests/${uuid}`)
  expect(status.json).toMatchObject({
    approval_request: { status: 'approved', seconds_to_expire: 86_400 },
    success: true,
  })

  const qr = await post(`/protected/json/users/${id}/secret`, '{"label": "", "qr_size": 0}')
  expect(qr.json).toMatchObject({ success: true, qr_code: expect.stringMatching(/^http:.*\.png$/) })
  expect(tokenIsOk(await get(`/protected/json/verify/${sandbox.phone.code(device.id).code}/${id}?force=True`))).toBe(
    true,
  )
  expect(isOk(await post(`/protected/json/users/${id}/delete`, '{}'))).toBe(true)
})

test('no answer but that of a good token holds the words that the Python client looks for', async () => {
  const created = await post(
    '/protected/json/users/new',
    '{"user": {"email": "eve@example.com", "cellphone": "201-555-0101", "country_code": 1}}',
  )
  const { id } = created.json['user'] as { id: number }
  for (const token of ['1234567', '123456', '12', '%22token%22:%22is%20valid%22']) {
    expect(tokenIsOk(await get(`/protected/json/verify/${token}/${id}?force=True`))).toBe(false)
  }
  expect(isOk(await get('/protected/json/users/True/status'))).toBe(false)
})

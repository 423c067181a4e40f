import { request } from 'node:http'
import { type Sandbox, startSandbox } from 'passport-outofband/sandbox'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { authyClient } from './official-clients.js'

let sandbox: Sandbox
let authyId: string

beforeAll(async () => {
  sandbox = await startSandbox({ authy: { rateLimit: false } })
  const client = authyClient(sandbox.authy.apiKey, sandbox.authy.url)
  const { user } = await client.registerUser({ countryCode: 'US', email: 'ada@example.com', phone: '2015550100' })
  authyId = String(user.id)
  await sandbox.phone.enrol({ phone: '+12015550100' })
})
afterAll(() => sandbox.close())
beforeEach(() => {
  sandbox.faults.clear()
  sandbox.clock.reset()
})

interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A request with any headers at all: fetch would not let us choose Host and Origin. */
function send(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const outgoing = request(sandbox.phone.url + path, { method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
    outgoing.on('error', reject).end(body)
  })
}

const json = { 'content-type': 'application/json' }

async function ask(message = 'Sign in?'): Promise<string> {
  const client = authyClient(sandbox.authy.apiKey, sandbox.authy.url)
  const created = await client.createApprovalRequest({ authyId, message })
  return created.approval_request.uuid
}

test('answers as the design says: pushes, approve, deny, messages, devices, codes', async () => {
  const first = await ask('One')
  const second = await ask('Two')
  expect(JSON.parse((await send('GET', '/api/pushes')).body)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        id: first,
        provider: 'authy',
        recipient: '+12015550100',
        message: 'One',
        status: 'pending',
      }),
    ]),
  )
  expect(JSON.parse((await send('POST', `/api/pushes/${first}/approve`)).body)).toMatchObject({ status: 'approved' })
  expect(JSON.parse((await send('POST', `/api/pushes/${second}/deny`, json, '{}')).body)).toMatchObject({
    status: 'denied',
  })
  const messages = JSON.parse((await send('GET', '/api/messages')).body) as unknown[]
  expect(messages[0]).toMatchObject({ to: '+12015550100', kind: 'sms', link: 'authy://install?phone=%2B12015550100' })
  const [device] = JSON.parse((await send('GET', '/api/devices')).body) as { id: string }[]
  expect(JSON.parse((await send('GET', `/api/devices/${device?.id}/code`)).body)).toMatchObject({
    code: expect.stringMatching(/^[0-9]{7}$/),
  })
  expect(JSON.parse((await send('GET', '/api/safeboxes')).body)).toEqual([])
})

test('enrols by phone number, by Authy id and by the link of the text', async () => {
  for (const body of [
    { phone: '+1 201-555-0100' },
    { phone: '2015550100', countryCode: 1 },
    { reference: Number(authyId) },
    { authyId },
    { link: 'authy://install?phone=%2B12015550100' },
    { text: 'authy://install?phone=%2B12015550100', name: 'Tablet' },
  ]) {
    const answer = await send('POST', '/api/devices', json, JSON.stringify(body))
    expect(answer.status).toBe(201)
    expect(JSON.parse(answer.body)).toMatchObject({ provider: 'authy', owner: '+12015550100', reference: authyId })
  }
})

test('moves the clock forward, to a time, and back', async () => {
  const before = sandbox.clock.now()
  await send('POST', '/api/clock', json, '{"advanceSeconds":3600}')
  expect(sandbox.clock.now()).toBeGreaterThanOrEqual(before + 3_600_000)
  const there = JSON.parse((await send('POST', '/api/clock', json, '{"now":"2030-01-01T00:00:00Z"}')).body) as {
    now: number
  }
  expect(new Date(there.now).getUTCFullYear()).toBe(2030)
  await send('POST', '/api/clock', json, '{"reset":true}')
  expect(sandbox.clock.now()).toBeLessThan(before + 3_600_000)
  expect((await send('POST', '/api/clock', json, '{"advanceSeconds":1,"reset":true}')).status).toBe(400)
})

test('adds, lists and removes faults', async () => {
  const { id } = JSON.parse(
    (await send('POST', '/api/faults', json, '{"kind":"error","status":503,"provider":"authy","times":2}')).body,
  ) as { id: string }
  expect(JSON.parse((await send('GET', '/api/faults')).body)).toEqual([
    { id, kind: 'error', status: 503, provider: 'authy', times: 2, hits: 0 },
  ])
  expect((await send('DELETE', `/api/faults/${id}`)).status).toBe(200)
  expect((await send('DELETE', `/api/faults/${id}`)).status).toBe(404)
  expect((await send('POST', '/api/faults', json, '{"kind":"explode"}')).status).toBe(400)
  await send('POST', '/api/faults', json, '{"kind":"hang","path":"/nowhere"}')
  await send('DELETE', '/api/faults')
  expect(sandbox.faults.list()).toEqual([])
})

test('explains what is wrong, as a problem document', async () => {
  const uuid = await ask()
  await sandbox.phone.approve(uuid)
  const cases: readonly (readonly [string, string, string | undefined, number])[] = [
    ['POST', `/api/pushes/${uuid}/approve`, undefined, 409],
    ['POST', `/api/pushes/${uuid}/explode`, undefined, 409],
    ['POST', '/api/pushes/nope/approve', undefined, 404],
    ['GET', '/api/devices/nope/code', undefined, 404],
    ['POST', '/api/devices', '{"link":"https://example.com"}', 400],
    ['POST', '/api/devices', '{"lnk":"x"}', 400],
    ['POST', '/api/devices', '{', 400],
    ['POST', '/api/devices', JSON.stringify({ link: 'x'.repeat(70_000) }), 400],
    ['PUT', '/api/devices', '{}', 405],
    ['GET', '/api/nothing', undefined, 404],
    ['GET', '/nothing', undefined, 404],
    ['GET', '/api/authy/nothing', undefined, 404],
  ]
  for (const [method, path, body, status] of cases) {
    const answer = await send(method, path, body === undefined ? {} : json, body)
    expect([path, answer.status]).toEqual([path, status])
    expect(answer.headers['content-type']).toContain('application/problem+json')
  }
})

test.each<[string, Record<string, string>, number]>([
  ['another origin', { origin: 'https://evil.example' }, 403],
  ['an opaque origin', { origin: 'null' }, 403],
  ['another port of this machine', { origin: 'http://127.0.0.1:1' }, 403],
  ['a cross-site fetch', { 'sec-fetch-site': 'cross-site' }, 403],
  ['a same-site fetch from another port', { 'sec-fetch-site': 'same-site' }, 403],
  ['a foreign host name that leads here', { host: 'evil.example' }, 421],
  ['a host name that only begins like ours', { host: 'localhost.evil.example' }, 421],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ['a form with files', { 'content-type': 'multipart/form-data; boundary=x' }, 415],
  ['text that a form can send', { 'content-type': 'text/plain' }, 415],
])('refuses to approve for %s [SC 75]', async (_who, headers, status) => {
  const uuid = await ask()
  const answer = await send('POST', `/api/pushes/${uuid}/approve`, headers, '{}')
  expect(answer.status).toBe(status)
  expect(sandbox.phone.pushes().find((push) => push.id === uuid)?.status).toBe('pending')
})

test('refuses to be read under a foreign host name, or by another site [SC 75]', async () => {
  for (const path of ['/', '/api/messages', '/api/events']) {
    expect((await send('GET', path, { host: 'evil.example' })).status).toBe(421)
  }
  expect((await send('GET', '/api/messages', { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
  expect((await send('GET', '/', link)).status).toBe(200)
})

test('serves every answer with a strict policy, unframed, unsniffed and unstored [SC 79]', async () => {
  for (const path of ['/', '/phone.js', '/view.js', '/phone.css', '/icon.svg', '/api/messages', '/api/nothing']) {
    const { headers } = await send('GET', path)
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(headers['content-security-policy']).not.toMatch(/unsafe|\*/)
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    })
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  }
})

test('switches what the console of the provider can switch', async () => {
  const suspended = await send('PATCH', `/api/authy/users/${authyId}`, json, '{"suspended":true}')
  expect(JSON.parse(suspended.body)).toMatchObject({ suspended: true })
  await expect(ask()).rejects.toThrow()
  await send('PATCH', `/api/authy/users/${authyId}`, json, '{"suspended":false}')
  const target = { url: 'http://127.0.0.1:9/callback', method: 'POST' }
  await send('PUT', '/api/authy/callback', json, JSON.stringify(target))
  expect(sandbox.authy.callback).toEqual(target)
  await send('DELETE', '/api/authy/callback')
  expect(sandbox.authy.callback).toBeUndefined()
  expect((await send('PUT', '/api/authy/callback', json, '{"url":"http://a.example/?q=1"}')).status).toBe(400)
  expect((await send('PATCH', '/api/authy/switches', json, '{"oneTouchEnabled":false}')).status).toBe(200)
  await expect(ask()).rejects.toMatchObject({ code: 403 })
  await send('PATCH', '/api/authy/switches', json, '{"oneTouchEnabled":true}')
  await send('PUT', '/api/authy/numbers/+12015550199', json, '{"type":"landline"}')
  const client = authyClient(sandbox.authy.apiKey, sandbox.authy.url)
  const number = { countryCode: 'US', phone: '2015550199' }
  await expect(client.getPhoneInformation(number)).resolves.toMatchObject({ type: 'landline' })
})

test('waits for a push and a message in code, and says when none came', async () => {
  const waiting = sandbox.phone.waitForPush({ message: /later/ })
  await ask('A bit later')
  await expect(waiting).resolves.toMatchObject({ message: 'A bit later' })
  await expect(sandbox.phone.waitForMessage({ to: '+10' }, { timeoutMs: 20 })).rejects.toMatchObject({
    reason: 'timeout',
  })
  await expect(sandbox.phone.deny({ message: 'no such' })).rejects.toMatchObject({ reason: 'not-found' })
  const reported = await sandbox.phone.act({ message: /later/ }, 'report')
  expect(reported.status).toBe('denied')
  sandbox.phone.clearMessages()
  expect(sandbox.phone.messages()).toEqual([])
})

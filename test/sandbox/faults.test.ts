import { type Fault, type Sandbox, startSandbox } from 'passport-outofband/sandbox'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { rawRequest } from './raw-client.js'

let sandbox: Sandbox

beforeEach(async () => {
  sandbox = await startSandbox()
})
afterEach(() => sandbox.close())

const path = '/protected/json/app/details'
const details = () => rawRequest(sandbox.authy.url, 'GET', path, { 'X-Authy-API-Key': sandbox.authy.apiKey })
const fetchDetails = (signal?: AbortSignal) =>
  fetch(sandbox.authy.url + path, {
    headers: { 'X-Authy-API-Key': sandbox.authy.apiKey },
    ...(signal ? { signal } : {}),
  })

test.each<[Fault, number, string]>([
  [{ kind: 'error', status: 500 }, 500, '60000'],
  [{ kind: 'error', status: 503 }, 503, '60057'],
  [{ kind: 'error', status: 401 }, 401, '60001'],
  [{ kind: 'error', status: 403, code: '60065' }, 403, '60065'],
  [{ kind: 'rate-limit' }, 429, '60003'],
])("%j answers with the provider's own body, once", async (fault, status, code) => {
  sandbox.faults.add({ ...fault, times: 1 } as Fault)
  const answer = await details()
  expect(answer.status).toBe(status)
  expect(answer.json).toMatchObject({ success: false, error_code: code, errors: { message: expect.any(String) } })
  expect((await details()).status).toBe(200)
})

test('says how long to wait when it is told to', async () => {
  sandbox.faults.add({ kind: 'rate-limit', retryAfterSeconds: 7 })
  expect((await fetchDetails()).headers.get('retry-after')).toBe('7')
})

test.each(['broken-json', 'truncated', 'html', 'empty'] as const)('%s: a success that is not JSON', async (kind) => {
  sandbox.faults.add({ kind })
  const answer = await fetchDetails()
  expect(answer.status).toBe(200)
  await expect(answer.json()).rejects.toThrow()
})

test('sends the right body under a wrong content type', async () => {
  sandbox.faults.add({ kind: 'content-type', type: 'text/csv' })
  expect(await details()).toMatchObject({ type: 'text/csv', json: { success: true } })
})

test('redirects, and sends far too much', async () => {
  sandbox.faults.add({ kind: 'redirect', location: 'https://evil.example/', times: 1 })
  expect((await details()).status).toBe(302)
  sandbox.faults.add({ kind: 'oversized', bytes: 3_000_000 })
  expect((await details()).text.length).toBeGreaterThan(3_000_000)
})

test.each(['before', 'mid-body', 'after'] as const)('resets the connection %s', async (when) => {
  sandbox.faults.add({ kind: 'reset', when, path: '/protected/json/users/new' })
  const headers = { 'X-Authy-API-Key': sandbox.authy.apiKey, 'content-type': 'application/json' }
  const body = '{"user":{"email":"a@b.com","cellphone":"2015550101","country_code":1}}'
  const sent = rawRequest(sandbox.authy.url, 'POST', '/protected/json/users/new', headers, body)
  await expect(sent).rejects.toThrow(/ECONNRESET|aborted|hang up/)
  // Only a reset before the stand-in saw the request leaves nothing behind.
  expect(sandbox.authy.users()).toHaveLength(when === 'before' ? 0 : 1)
})

test('hangs until the caller gives up', async () => {
  sandbox.faults.add({ kind: 'hang' })
  const gaveUp = new AbortController()
  const waiting = fetchDetails(gaveUp.signal)
  waiting.catch(() => undefined)
  await vi.waitFor(() => expect(sandbox.faults.list()[0]?.hits).toBe(1))
  gaveUp.abort()
  await expect(waiting).rejects.toThrow()
})

test('delays and drips by the clock of the sandbox', async () => {
  sandbox.faults.add({ kind: 'delay', ms: 60_000, times: 1 })
  const delayed = details()
  await vi.waitFor(() => expect(sandbox.faults.list()).toEqual([]))
  sandbox.clock.advance(60_001)
  expect((await delayed).status).toBe(200)
  sandbox.faults.add({ kind: 'drip', bytes: 50, everyMs: 1 })
  expect((await details()).json).toMatchObject({ success: true })
})

test('strikes only the provider, method and path that it names', async () => {
  sandbox.faults.add({ kind: 'error', status: 500, provider: 'passbyme' })
  sandbox.faults.add({ kind: 'error', status: 500, method: 'POST' })
  sandbox.faults.add({ kind: 'error', status: 500, path: '/protected/json/sms/*' })
  expect((await details()).status).toBe(200)
  const id = sandbox.faults.add({
    kind: 'error',
    status: 500,
    provider: 'authy',
    method: 'get',
    path: '*/app/det?ils*',
  })
  expect((await details()).status).toBe(200)
  sandbox.faults.remove(id)
  sandbox.faults.add({ kind: 'error', status: 500, provider: 'authy', method: 'get', path: '*/app/*' })
  expect((await details()).status).toBe(500)
})

test('skews the clock of one provider', async () => {
  sandbox.faults.add({ kind: 'clock-skew', ms: 3 * 86_400_000, provider: 'authy' })
  const stats = await rawRequest(
    sandbox.authy.url,
    'GET',
    '/protected/json/phones/info?country_code=1&phone_number=2015550101',
    { 'X-Authy-API-Key': sandbox.authy.apiKey },
  )
  const said = /as of (\S+ \S+) UTC/.exec(String(stats.json['message']))?.[1] ?? ''
  const ahead = Date.parse(`${said.replace(' ', 'T')}Z`) - sandbox.clock.now()
  expect(ahead).toBeGreaterThan(2.9 * 86_400_000)
})

test('refuses a fault that it does not know, and one with a field too many', () => {
  for (const bad of [
    '{"kind":"explode"}',
    '{"kind":"delay"}',
    '{"kind":"hang","tmies":1}',
    '{"kind":"error","status":200}',
  ]) {
    expect(() => sandbox.faults.add(JSON.parse(bad) as Fault)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }))
  }
})

import { type Sandbox, startSandbox } from 'passport-outofband/sandbox'
import { MemoryStateStore } from 'passport-outofband/stores'
import { clickatellGateway, roundRobin, twilioGateway, type SmsSender } from 'passport-outofband/users'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeOf, startService } from '../users/service.js'

const phone = '+15550001234'
const message = { from: 'Bank', to: phone, text: 'Your security code is: 048211', retry: false }

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox()
})
afterAll(() => sandbox.close())
beforeEach(() => {
  sandbox.phone.clearMessages()
  sandbox.faults.clear()
})

function twilio(change: Partial<Parameters<typeof twilioGateway>[0]> = {}): SmsSender {
  const { url, accountSid, authToken } = sandbox.twilio
  return twilioGateway({ accountSid, authToken, baseUrl: url, timeoutMs: 150, ...change })
}

function clickatell(change: Partial<Parameters<typeof clickatellGateway>[0]> = {}): SmsSender {
  const { url, apiKey } = sandbox.clickatell
  return clickatellGateway({ apiKey, baseUrl: url, timeoutMs: 150, ...change })
}

/** A request in Twilio's own form. */
async function asTwilio(form: Record<string, string>, change: { path?: string; auth?: string; method?: string } = {}) {
  const { url, accountSid, authToken } = sandbox.twilio
  const path = change.path ?? `/2010-04-01/Accounts/${accountSid}/Messages.json`
  const auth = change.auth ?? `${accountSid}:${authToken}`
  const method = change.method ?? 'POST'
  const headers = { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
  const answer = await fetch(url + path, {
    method,
    headers,
    ...(method === 'GET' ? {} : { body: new URLSearchParams(form) }),
  })
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> }
}

async function asClickatell(body: unknown, change: Record<string, string> = {}, path = '/messages') {
  const headers = { authorization: sandbox.clickatell.apiKey, 'content-type': 'application/json', 'x-version': '1' }
  const answer = await fetch(sandbox.clickatell.url + path, {
    method: 'POST',
    headers: { ...headers, ...change },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

describe("the sandbox's Twilio", () => {
  test('takes a text as Twilio does and shows it on the phone', async () => {
    const { status, body } = await asTwilio({ To: '+1 555 000 1234', From: 'Bank', Body: 'Code 123456 👋' })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      sid: expect.stringMatching(/^SM[0-9a-f]{32}$/),
      account_sid: sandbox.twilio.accountSid,
      status: 'queued',
      direction: 'outbound-api',
      to: phone,
      from: 'Bank',
      body: 'Code 123456 👋',
      num_segments: '1',
      error_code: null,
      uri: expect.stringMatching(/^\/2010-04-01\/Accounts\/AC\w+\/Messages\/SM[0-9a-f]{32}\.json$/),
    })
    expect(sandbox.phone.messages()).toMatchObject([{ provider: 'twilio', to: phone, from: 'Bank', code: '123456' }])
    expect((await asTwilio({ To: phone, From: 'Bank', Body: 'x'.repeat(161) })).body['num_segments']).toBe('2')
    expect((await asTwilio({ To: phone, From: 'Bank', Body: 'ž'.repeat(71) })).body['num_segments']).toBe('2')
  })

  test.each([
    [{ From: 'B', Body: 'x' }, {}, 400, 21604],
    [{ To: phone, Body: 'x' }, {}, 400, 21603],
    [{ To: phone, From: 'B' }, {}, 400, 21602],
    [{ To: '123', From: 'B', Body: 'x' }, {}, 400, 21211],
    [{ To: phone, From: 'B', Body: 'x'.repeat(1601) }, {}, 400, 21617],
    [{ To: phone, From: 'B', Body: 'x' }, { auth: 'AC1:wrong' }, 401, 20003],
    [{ To: phone, From: 'B', Body: 'x' }, { path: '/2010-04-01/Accounts/AC1/Messages.json' }, 404, 20404],
    [{ To: phone, From: 'B', Body: 'x' }, { path: '/2010-04-01/' }, 404, 20404],
    [{}, { method: 'GET' }, 405, 20004],
  ] as const)('refuses %j %j with %i and code %i', async (form, change, status, code) => {
    const answer = await asTwilio(form, change)
    expect([answer.status, answer.body]).toEqual([
      status,
      { code, message: expect.any(String), more_info: expect.stringContaining(String(code)), status },
    ])
    expect(sandbox.phone.messages()).toEqual([])
  })
})

describe("the sandbox's Clickatell", () => {
  test('says of each number whether it was taken', async () => {
    const { status, body } = await asClickatell({ content: 'Code 123456', to: [phone, '12'] })
    expect(status).toBe(202)
    expect(body).toEqual({
      messages: [
        expect.objectContaining({
          accepted: true,
          apiMessageId: expect.stringMatching(/^[0-9a-f]{32}$/),
          to: '15550001234',
        }),
        expect.objectContaining({ accepted: false, errorCode: 652, errorDescription: expect.any(String), to: '12' }),
      ],
    })
    expect(sandbox.phone.messages()).toMatchObject([{ provider: 'clickatell', to: phone, code: '123456' }])
  })

  test.each([
    [{ content: 'x', to: [phone] }, { authorization: 'wrong' }, '/messages', 401],
    [{ content: 'x', to: [phone] }, { 'x-version': '2' }, '/messages', 400],
    [{ content: 'x', to: phone }, {}, '/messages', 400],
    [{ to: [phone] }, {}, '/messages', 400],
    ['{', {}, '/messages', 400],
    [{ content: 'x', to: [phone] }, {}, '/message', 404],
  ] as const)('refuses %j %j on %s with %i', async (body, headers, path, status) => {
    expect((await asClickatell(body, headers, path)).status).toBe(status)
    expect(sandbox.phone.messages()).toEqual([])
  })

  test('takes the bare key only', async () => {
    const { apiKey } = sandbox.clickatell
    expect((await asClickatell({ content: 'x', to: [phone] }, { authorization: `Bearer ${apiKey}` })).status).toBe(401)
  })
})

describe.each([
  ['twilio', twilio],
  ['clickatell', clickatell],
] as const)('the gateway %s', (provider, make) => {
  test('sends a text, emoji and all, and hears of numbers that are none', async () => {
    const text = 'Código: 048211 👩‍👩‍👧 "\\\u2028&=+%'
    expect(await make().send({ ...message, text })).toEqual({ status: 'sent', gateway: provider })
    expect(sandbox.phone.messages()).toMatchObject([{ provider, to: phone, text }])
    expect(await make().send({ ...message, to: '123' })).toEqual({
      status: 'invalid-number',
      description: expect.stringContaining('not'),
      gateway: provider,
    })
  })

  test.each([
    [{ kind: 'error', status: 500 }, 'HTTP 500'],
    [{ kind: 'error', status: 503 }, 'HTTP 503'],
    [{ kind: 'error', status: 401 }, 'HTTP 401'],
    [{ kind: 'rate-limit', retryAfterSeconds: 9 }, 'HTTP 429'],
    [{ kind: 'redirect', location: 'http://127.0.0.1:9/' }, 'HTTP 302'],
    [{ kind: 'hang' }, 'ProviderTimeoutError'],
    [{ kind: 'hang', when: 'after' }, 'ProviderTimeoutError'],
    [{ kind: 'delay', ms: 60_000 }, 'ProviderTimeoutError'],
    [{ kind: 'drip', everyMs: 200 }, 'ProviderTimeoutError'],
    [{ kind: 'reset' }, 'ProviderUnreachableError'],
    [{ kind: 'reset', when: 'mid-body' }, 'ProviderUnreachableError'],
    [{ kind: 'oversized', bytes: 1_000_000 }, 'ProviderProtocolError'],
  ] as const)('has failed, and has not thrown, after %j [SC 86]', async (fault, reason) => {
    sandbox.faults.add({ ...fault, provider })
    const outcome = await make().send(message)
    expect(outcome).toMatchObject({ status: 'failed', gateway: provider })
    expect(JSON.stringify(outcome)).toContain(reason)
    expect(JSON.stringify(outcome)).not.toMatch(/sandbox|048211|5550001234/)
  })

  test.each(['broken-json', 'truncated', 'html', 'empty', 'content-type'] as const)(
    'knows what a success with the fault %s is worth',
    async (kind) => {
      sandbox.faults.add({ kind, provider })
      const { status } = await make().send(message)
      // Twilio says by its status that it has taken a text. Clickatell says so in the body, which is not there any more.
      expect(status).toBe(provider === 'twilio' || kind === 'content-type' ? 'sent' : 'failed')
    },
  )

  test('has failed with the credentials of somebody else, which it does not tell', async () => {
    const outcome = await (
      provider === 'twilio' ? twilio({ authToken: 'other' }) : clickatell({ apiKey: 'other' })
    ).send(message)
    expect(outcome).toMatchObject({ status: 'failed', reason: expect.stringContaining('401') })
  })
})

test('a code of Twilio other than that of invalid numbers is a failure of the gateway', async () => {
  sandbox.faults.add({ kind: 'error', status: 400, code: '21610', provider: 'twilio' })
  expect(await twilio().send(message)).toEqual({ status: 'failed', reason: 'HTTP 400, code 21610', gateway: 'twilio' })
})

test.each([
  ['http://api.twilio.com', 'real', 'another host over plain HTTP'],
  ['https://api.twilio.com', 'sandbox1', 'the real service with the key of a sandbox'],
  ['https://user:pass@127.0.0.1/', 'real', 'a URL with a user'],
  ['https://127.0.0.1/?x=1', 'real', 'a URL with a query'],
])('takes no baseUrl %s with the key %s: %s [SC 90]', (baseUrl, secret) => {
  const refusal = expect.objectContaining({ code: 'ERR_OPTION', option: 'baseUrl' })
  expect(() => twilioGateway({ accountSid: 'AC1', authToken: secret, baseUrl })).toThrow(refusal)
  expect(() => clickatellGateway({ apiKey: secret, baseUrl })).toThrow(refusal)
})

test('a code of the user service arrives by the other gateway when one fails, and when it is asked for again', async () => {
  const sms = roundRobin({ gateways: [twilio(), clickatell()], state: new MemoryStateStore() })
  const app = await startService({ senders: { sms }, verification: { resendSeconds: 0 } })
  const start = async (resend: boolean): Promise<readonly [number, string | undefined, string]> => {
    const { status } = await app.call('POST', '/verification/phone/', { body: { phone, resend } })
    const [newest] = sandbox.phone.messages()
    return [status, newest?.provider, codeOf(newest === undefined ? [] : [{ ...message, text: newest.text }])]
  }
  expect(await start(false)).toEqual([200, 'twilio', expect.stringMatching(/^\d{6}$/)])
  expect(await start(true)).toEqual([200, 'clickatell', expect.any(String)])
  sandbox.faults.add({ kind: 'error', status: 500, provider: 'clickatell' })
  const [status, provider, code] = await start(false)
  expect([status, provider]).toEqual([200, 'twilio'])
  expect(await app.call('POST', '/verification/phone/confirm/', { body: { phone, code } })).toMatchObject({
    status: 200,
  })
  sandbox.faults.add({ kind: 'reset', provider: 'twilio' })
  expect((await start(false))[0]).toBe(503)
})

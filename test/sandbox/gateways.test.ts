import { readFileSync } from 'node:fs'
import { type Sandbox, startSandbox } from 'passport-outofband/sandbox'
import { affoMailSender, affoSmsSender } from 'passport-outofband/users'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { scenarioFile } from '../scenarios/format.js'
import { runScenario } from '../scenarios/runner.js'
import { PASSWORD_2, startService, type TestService } from '../users/service.js'

const file = scenarioFile.parse(
  JSON.parse(readFileSync(new URL('../vectors/affo-scenarios.json', import.meta.url), 'utf8')),
)
const credential = 'a-credential-that-is-long-enough'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox()
})
afterAll(() => sandbox.close())
beforeEach(() => {
  sandbox.phone.clearMessages()
  sandbox.faults.clear()
  sandbox.clock.reset()
})

function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

const text = { user_id: '', from: 'AFFO', phone: '+1 (555) 000-1234', message: 'Your security code is: 048211' }
const mail = {
  from_: 'bank@example.com',
  to: ['ada@example.com'],
  subject: 'News',
  html: null,
  text: 'Hello',
  tag: 'n',
}

// Each with a sandbox of its own: the numbers of mails are counted from 1. What goes out to Twilio and Clickatell is not
// seen here, because these gateways deliver to the phone; test/users runs the same scenarios with both of them.
test.each(
  file.scenarios.filter(({ service }) => service !== 'user').map((scenario) => [scenario.name, scenario] as const),
)('answers %s as a hardened gateway does, over HTTP', async (_name, scenario) => {
  const own = await startSandbox()
  onTestFinished(() => own.close())
  const { smsUrl, emailUrl } = own.gateways
  const root = scenario.service === 'sms' ? smsUrl : emailUrl
  expect(root).toMatch(/\/api\/v1\.0\/$/)
  const fixture = {
    url: new URL(root).origin,
    idle: () => Promise.resolve(),
    seedSession: () => Promise.reject(new Error('a gateway has no sessions')),
    close: () => Promise.resolve(),
  }
  expect(await runScenario(file, scenario, async () => fixture)).toBeUndefined()
})

describe('the SMS gateway', () => {
  test('puts a text on the phone, with its sender, its code and its number in one form', async () => {
    expect((await post(`${sandbox.gateways.smsUrl}sms/`, text)).status).toBe(201)
    expect(sandbox.phone.messages()).toEqual([
      {
        id: expect.any(String),
        provider: 'gateways',
        kind: 'sms',
        from: 'AFFO',
        to: '+15550001234',
        via: 'twilio',
        text: 'Your security code is: 048211',
        code: '048211',
        links: [],
        receivedAt: expect.any(Number),
      },
    ])
  })

  test('serves our own sender, which hears of numbers that are none', async () => {
    const sender = affoSmsSender({ rootUrl: sandbox.gateways.smsUrl })
    const message = { from: 'Bank', to: '+15550001234', text: 'Hello 👋', retry: false }
    expect(await sender.send(message)).toEqual({ status: 'sent' })
    expect(await sandbox.phone.waitForMessage({ to: '+15550001234' })).toMatchObject({ text: 'Hello 👋' })
    expect(await sender.send({ ...message, to: '123' })).toMatchObject({ status: 'invalid-number' })
    expect(sandbox.phone.messages()).toHaveLength(1)
  })

  test('takes turns: another line for a resend, and for a line that a fault strikes', async () => {
    const send = async (retry = false): Promise<string | undefined> => {
      sandbox.phone.clearMessages()
      const { status } = await post(`${sandbox.gateways.smsUrl}sms/`, { ...text, phone: '+15550009999', retry })
      return status === 201 ? sandbox.phone.messages()[0]?.via : String(status)
    }
    expect([await send(), await send(), await send(true)]).toEqual(['twilio', 'twilio', 'clickatell'])
    const fault = sandbox.faults.add({ kind: 'error', status: 500, provider: 'clickatell' })
    expect(await send()).toBe('twilio')
    sandbox.faults.add({ kind: 'hang', provider: 'twilio' })
    expect(await send()).toBe('503')
    sandbox.faults.remove(fault)
    expect(await send()).toBe('clickatell')
    sandbox.faults.clear()
    sandbox.faults.add({ kind: 'delay', ms: 1, provider: 'clickatell' })
    expect(await send()).toBe('clickatell')
  })

  test.each([
    [{ kind: 'error', status: 503 }, 'HTTP 503'],
    [{ kind: 'rate-limit', retryAfterSeconds: 5 }, 'HTTP 429'],
    [{ kind: 'reset' }, 'ProviderUnreachableError'],
    [{ kind: 'hang' }, 'ProviderTimeoutError'],
  ] as const)('fails on demand: %j', async (fault, reason) => {
    sandbox.faults.add({ ...fault, provider: 'gateways', path: '/api/v1.0/sms/*' })
    const sender = affoSmsSender({ rootUrl: sandbox.gateways.smsUrl, timeoutMs: 200 })
    const message = { from: 'Bank', to: '+15550001234', text: 'x', retry: false }
    expect(await sender.send(message)).toEqual({ status: 'failed', reason })
    expect(sandbox.phone.messages()).toEqual([])
  })

  test('refuses a number on demand, in the words of the service', async () => {
    sandbox.faults.add({ kind: 'error', status: 400, code: 'InvalidPhone', times: 1 })
    const answer = await post(`${sandbox.gateways.smsUrl}sms/`, text)
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { code: 'InvalidPhone', description: expect.any(String) },
    ])
  })

  test.each([
    ['no-code', undefined],
    ['Call +351 912345678', undefined],
    ['Order 12345-67 of 2,500.00', undefined],
    ['See https://example.com/1234?t=567890', undefined],
    ['123456 is your code.', '123456'],
    ['Code: 4821, good for 10 minutes', '4821'],
    ['(77889900)', '77889900'],
    ['Your code is 123456789', undefined],
  ])('finds the code in %j: %j', async (message, code) => {
    await post(`${sandbox.gateways.smsUrl}sms/`, { ...text, message })
    expect(sandbox.phone.messages()[0]?.code).toBe(code)
  })
})

describe('the e-mail gateway', () => {
  test('puts the mails of our own sender into the mailbox, with their links', async () => {
    const sender = affoMailSender({ rootUrl: sandbox.gateways.emailUrl })
    await sender.send({
      template: 'password_reset',
      from: 'bank@example.com',
      to: 'ada@example.com',
      subject: 'Set a new password',
      variables: { name: 'Ada', password_reset_url: 'https://bank.example/reset?token=T0_k-n' },
      tag: 'password_reset',
    })
    expect(await sandbox.phone.waitForMessage({ kind: 'mail', to: 'ada@example.com' })).toMatchObject({
      provider: 'gateways',
      from: 'bank@example.com',
      subject: 'Set a new password',
      links: ['https://bank.example/reset?token=T0_k-n'],
    })
  })

  test('gives a mail to everybody whom it names, once, and nobody sees the blind copy', async () => {
    const to = ['ada@example.com', 'bob@example.com']
    const answer = await post(`${sandbox.gateways.emailUrl}message/`, {
      ...mail,
      to,
      cc: ['"Bob, B." <bob@example.com>'],
      bcc: ['eve@example.com'],
    })
    expect(answer.status).toBe(201)
    await sandbox.phone.waitForMessage({ to: 'eve@example.com' })
    const messages = sandbox.phone.messages()
    expect(messages.map((message) => message.to).sort()).toEqual([...to, 'eve@example.com'])
    expect(JSON.stringify(messages.filter((message) => message.to !== 'eve@example.com'))).not.toContain('eve')
  })

  test('makes a mail that has only HTML readable, and keeps the HTML for tests', async () => {
    const html =
      '<style>p{}</style><p>Hello &amp; welcome</p><p>Go to <a class="x" href="https://bank.example/a?b=1&amp;c=2">your page</a>.</p>'
    await post(`${sandbox.gateways.emailUrl}message/`, { ...mail, html, text: null })
    expect(await sandbox.phone.waitForMessage({ kind: 'mail' })).toMatchObject({
      html,
      text: 'Hello & welcome\nGo to https://bank.example/a?b=1&c=2 your page.',
      links: ['https://bank.example/a?b=1&c=2'],
    })
  })

  test('ends links where their sentence ends', async () => {
    await post(`${sandbox.gateways.emailUrl}message/`, {
      ...mail,
      text: 'Open https://a.example/x, or (https://b.example/y?z=1). javascript:alert(1) ftp://c.example "http://d.example"',
    })
    expect((await sandbox.phone.waitForMessage({ kind: 'mail' })).links).toEqual([
      'https://a.example/x',
      'https://b.example/y?z=1',
      'http://d.example',
    ])
  })

  test('tells the time of the sandbox, and lets people unsubscribe by the page outside of the base path', async () => {
    sandbox.clock.set(Date.UTC(2031, 0, 2))
    const { emailUrl } = sandbox.gateways
    const asked = await fetch(`${emailUrl}unsubscribe/ada%40example.com/token/news/`)
    const { token } = (await asked.json()) as { token: string }
    expect((await fetch(`${new URL(emailUrl).origin}/unsubscribe/${token}/`)).status).toBe(200)
    const answer = await post(`${emailUrl}message/`, { ...mail, tag: 'news' })
    expect(await answer.json()).toMatchObject({
      status: 'SKIPPED',
      created_at: expect.stringMatching(/^2031-01-02T00:00:/),
    })
    expect(sandbox.phone.messages()).toEqual([])
  })

  test('has nothing else outside of its base path', async () => {
    const { origin } = new URL(sandbox.gateways.emailUrl)
    for (const path of ['/', '/message/', '/api/v1.0', '/api/v1.0x/message/', '/api/v1.0/../message/']) {
      const answer = await post(origin + path, mail)
      expect([path, answer.status]).toEqual([path, 404])
      expect(await answer.json()).toMatchObject({ status: 404, title: 'Not Found' })
    }
  })

  test('refuses a body of 10 MB, and goes on serving', async () => {
    const huge = await post(`${sandbox.gateways.emailUrl}message/`, { ...mail, text: 'x'.repeat(10_000_000) }).then(
      ({ status }) => status,
      () => 'broken off',
    )
    expect([413, 'broken off']).toContain(huge)
    expect((await post(`${sandbox.gateways.emailUrl}message/`, mail)).status).toBe(201)
  })
})

describe('the user service on the sandbox', () => {
  const phone = '+15550007777'
  const email = 'ada@example.com'
  const confirm = '/password/reset/confirm/'

  function start(): Promise<TestService> {
    const { smsUrl, emailUrl } = sandbox.gateways
    const senders = {
      sms: affoSmsSender({ rootUrl: smsUrl }),
      mail: affoMailSender({ rootUrl: emailUrl, timeoutMs: 200 }),
    }
    return startService({ senders, reset: { origins: ['https://bank.example'] } })
  }

  test('somebody sets a new password by the link in the mailbox, once, and signs in', async () => {
    const app = await start()
    await app.register('ada')
    const asked = await app.call('POST', '/password/reset/', {
      body: { email, url_template: 'https://bank.example/reset#token={token}' },
    })
    expect(asked.status).toBe(200)
    const { links } = await sandbox.phone.waitForMessage({ kind: 'mail', to: email })
    const token = new URL(links[0] ?? '').hash.replace('#token=', '')
    const body = { token, new_password: PASSWORD_2 }
    expect(await app.call('POST', confirm, { body })).toMatchObject({ status: 200 })
    expect(await app.call('POST', confirm, { body })).toMatchObject({ status: 400 })
    expect((await app.login(email, PASSWORD_2)).status).toBe(200)
  })

  test('somebody verifies a phone by the code of the text, also after the sandbox was down', async () => {
    const app = await start()
    const send = (): Promise<{ status: number }> => app.call('POST', '/verification/phone/', { body: { phone } })
    const fault = sandbox.faults.add({ kind: 'error', status: 500, provider: 'gateways' })
    expect((await send()).status).toBe(503)
    sandbox.faults.remove(fault)
    app.clock.set(app.clock.now() + 61_000)
    expect((await send()).status).toBe(200)
    const { code } = await sandbox.phone.waitForMessage({ kind: 'sms', to: phone })
    const body = { phone, code }
    expect((await app.call('POST', '/verification/phone/confirm/', { body })).status).toBe(200)
    expect((await app.call('POST', '/verification/phone/confirm/', { body })).status).toBe(400)
  })

  test.each([{ kind: 'error', status: 500 }, { kind: 'hang' }, { kind: 'reset' }, { kind: 'rate-limit' }] as const)(
    'nobody sees in the answer to a reset that mails fail: %j',
    async (fault) => {
      const app = await start()
      await app.register('ada')
      sandbox.faults.add({ ...fault, provider: 'gateways', path: '/api/v1.0/template/*' })
      const body = { email, url_template: 'https://bank.example/reset#token={token}' }
      expect(await app.call('POST', '/password/reset/', { body })).toMatchObject({ status: 200, text: '' })
      await app.service.idle()
      expect(sandbox.faults.list()).toMatchObject([{ hits: 1 }])
      expect(sandbox.phone.messages()).toEqual([])
    },
  )
})

test('asks for a credential where it is told to', async () => {
  const own = await startSandbox({ gateways: { credential } })
  onTestFinished(() => own.close())
  expect((await post(`${own.gateways.smsUrl}sms/`, text)).status).toBe(401)
  const message = { from: 'Bank', to: '+15550001234', text: 'x', retry: false }
  expect(await affoSmsSender({ rootUrl: own.gateways.smsUrl, credential }).send(message)).toEqual({ status: 'sent' })
  expect((await post(`${own.gateways.emailUrl}message/`, mail)).status).toBe(401)
})

test("the phone's JSON API finds messages by address and by kind", async () => {
  await post(`${sandbox.gateways.smsUrl}sms/`, text)
  await post(`${sandbox.gateways.emailUrl}message/`, { ...mail, to: ['Ada@Example.com'] })
  await post(`${sandbox.gateways.emailUrl}message/`, { ...mail, to: ['bob@example.com'], subject: 'Newest' })
  await sandbox.phone.waitForMessage({ to: 'bob@example.com' })
  const find = async (query: string): Promise<readonly string[]> => {
    const answer = await fetch(`${sandbox.phone.url}/api/messages${query}`)
    return ((await answer.json()) as { to: string }[]).map(({ to }) => to)
  }
  expect(await find('')).toEqual(['bob@example.com', 'Ada@Example.com', '+15550001234'])
  expect(await find('?to=ada@example.com')).toEqual(['Ada@Example.com'])
  expect(await find('?to=%2B15550001234')).toEqual(['+15550001234'])
  expect(await find('?to=+15550001234')).toEqual(['+15550001234'])
  expect(await find('?kind=mail')).toEqual(['bob@example.com', 'Ada@Example.com'])
  expect(await find('?kind=sms&to=bob@example.com')).toEqual([])
})

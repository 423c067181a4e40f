import { AuthyClient } from 'passport-outofband/authy'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { authyVerification, type AuthyVerificationOptions } from 'passport-outofband/users'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { startService, type Reply, type TestService } from './service.js'

const phone = '+12015550100'
const INVALID = { status: 400, body: { code: 'InvalidPhoneCode', description: 'Invalid phone verification code' } }
const many = { max: 1000, windowSeconds: 60 }

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ authy: { magicValues: false } })
})
afterAll(() => sandbox.close())
beforeEach(() => {
  sandbox.faults.clear()
  sandbox.phone.clearMessages()
  // What an earlier test has sent is over.
  sandbox.clock.advance(700_000)
})

interface Verification {
  readonly app: TestService
  readonly start: (more?: object) => Promise<Reply>
  readonly confirm: (code: string) => Promise<Reply>
  /** Moves both clocks: the service's and Authy's. */
  readonly later: (seconds: number) => void
}

async function verification(options?: AuthyVerificationOptions, url = sandbox.authy.url): Promise<Verification> {
  const client = new AuthyClient({ apiKey: sandbox.authy.apiKey, baseUrl: url, timeoutMs: 500 })
  const app = await startService({
    verification: { method: authyVerification(client, options) },
    limits: { phone: many, phonePerClient: many, phoneConfirm: many, phoneConfirmPerClient: many },
  })
  return {
    app,
    start: (more = {}) => app.call('POST', '/verification/phone/', { body: { phone, ...more } }),
    confirm: (code) => app.call('POST', '/verification/phone/confirm/', { body: { phone, code } }),
    later: (seconds) => {
      app.clock.set(app.clock.now() + seconds * 1000)
      sandbox.clock.advance(seconds * 1000)
    },
  }
}

function codeOnPhone(kind: 'sms' | 'voice' = 'sms'): string {
  return sandbox.phone.messages({ kind, to: phone })[0]?.code ?? ''
}

function wrong(code: string): string {
  return code.replace(/^./, (digit) => String((Number(digit) + 1) % 10))
}

describe('phone verification by Authy', () => {
  test('sends a code of six digits to the phone, and takes it once', async () => {
    const { start, confirm, app } = await verification()
    expect(await start()).toMatchObject({ status: 200, text: '' })
    const code = codeOnPhone()
    expect(code).toMatch(/^\d{6}$/)
    expect(await confirm(code)).toMatchObject({ status: 200, text: '' })
    expect(await confirm(code)).toMatchObject(INVALID)
    expect(app.events.map(({ type }) => type)).toContain('phone.verified')
  })

  test('takes no wrong code, and none at all without a start', async () => {
    const { start, confirm } = await verification()
    expect(await confirm('123456')).toMatchObject(INVALID)
    await start()
    const code = codeOnPhone()
    expect(await confirm(wrong(code))).toMatchObject(INVALID)
    expect(await confirm(code.slice(0, 5))).toMatchObject(INVALID)
    expect(await confirm(`${code}0`)).toMatchObject(INVALID)
    expect(await confirm(code)).toMatchObject({ status: 200 })
  })

  test('takes no right code after five wrong ones, with the same answer', async () => {
    const { start, confirm } = await verification()
    await start()
    const code = codeOnPhone()
    for (let tries = 0; tries < 5; tries += 1) expect(await confirm(wrong(code))).toMatchObject(INVALID)
    expect(await confirm(code)).toMatchObject(INVALID)
  })

  test('takes no code after ten minutes', async () => {
    const { start, confirm, later } = await verification()
    await start()
    const code = codeOnPhone()
    later(601)
    expect(await confirm(code)).toMatchObject(INVALID)
  })

  test('calls for a resend, or sends a text again where that is wanted; the code stays', async () => {
    const byCall = await verification()
    await byCall.start()
    expect(await byCall.start({ resend: true })).toMatchObject({ status: 429 })
    byCall.later(61)
    expect(await byCall.start({ resend: true })).toMatchObject({ status: 200 })
    expect(codeOnPhone('voice')).toBe(codeOnPhone('sms'))
    expect(await byCall.confirm(codeOnPhone('voice'))).toMatchObject({ status: 200 })
    const byText = await verification({ resendVia: 'sms', codeLength: 8 })
    sandbox.phone.clearMessages()
    byText.later(700)
    await byText.start()
    byText.later(61)
    await byText.start({ resend: true })
    expect(sandbox.phone.messages({ kind: 'sms' })).toHaveLength(2)
    expect(codeOnPhone()).toMatch(/^\d{8}$/)
  })

  test('a limit of Authy on codes to one number is 503 for the caller, and lifts by itself', async () => {
    const { start, later, app } = await verification()
    for (let count = 0; count < 5; count += 1) {
      expect((await start()).status).toBe(200)
      later(61)
    }
    const refused = await start()
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(app.events.at(-1)).toMatchObject({ type: 'phone.code.failed', reason: 'ProviderRateLimitedError' })
    later(601)
    expect((await start()).status).toBe(200)
  })

  test.each([
    [{ type: 'landline' }, {}, 'The number cannot receive text messages'],
    [{ provisioned: false }, {}, 'The number is not in service'],
  ] as const)('says so when a number is no good: %j', async (change, more, description) => {
    const { start } = await verification()
    sandbox.authy.setNumber(phone, change)
    onTestFinished(() => sandbox.authy.setNumber(phone, { type: 'cellphone', provisioned: true }))
    expect(await start(more)).toMatchObject({ status: 400, body: { code: 'InvalidPhone', description } })
  })

  test.each([
    ['+999123456789', 'no country'],
    ['2015550100', 'no country code'],
  ])('refuses %s (%s) when it starts, and no code is right for it', async (other) => {
    const { app } = await verification()
    const send = (path: string, more: object): Promise<Reply> =>
      app.call('POST', `/verification/phone${path}`, { body: { phone: other, ...more } })
    expect(await send('/', {})).toMatchObject({ status: 400, body: { code: 'InvalidPhone' } })
    expect(await send('/confirm/', { code: '123456' })).toMatchObject(INVALID)
  })

  test('a mistake of our own is no fault of the number', async () => {
    const client = new AuthyClient({ apiKey: 'sandbox-of-somebody-else', baseUrl: sandbox.authy.url })
    const app = await startService({ verification: { method: authyVerification(client) } })
    const answer = await app.call('POST', '/verification/phone/', { body: { phone } })
    expect(answer.status).toBe(503)
    expect(app.events.at(-1)).toMatchObject({ reason: 'HTTP 401, code 60001' })
    expect(JSON.stringify([app.logs, app.events])).not.toContain('somebody-else')
  })

  test.each([
    [{ kind: 'error', status: 503 }],
    [{ kind: 'hang' }],
    [{ kind: 'reset' }],
    [{ kind: 'html' }],
    [{ kind: 'broken-json' }],
    [{ kind: 'truncated' }],
    [{ kind: 'redirect', location: 'https://example.com/' }],
  ] as const)('while Authy fails (%j) nobody is verified, and the caller hears 503', async (fault) => {
    const { start, confirm, later } = await verification()
    await start()
    const code = codeOnPhone()
    later(61)
    sandbox.faults.add({ ...fault, provider: 'authy', path: '/protected/json/phones/*' })
    expect((await confirm(wrong(code))).status).toBe(503)
    expect((await start()).status).toBe(503)
    sandbox.faults.clear()
    expect(await confirm(code)).toMatchObject({ status: 200 })
  })

  test('while Authy is gone the caller hears 503, of starts and of codes', async () => {
    const { start, confirm } = await verification({}, 'http://127.0.0.1:9')
    expect((await start()).status).toBe(503)
    expect((await confirm('123456')).status).toBe(503)
  })

  test('of many right answers at once one counts', async () => {
    const { start, confirm } = await verification()
    await start()
    const code = codeOnPhone()
    const answers = await Promise.all(Array.from({ length: 10 }, () => confirm(code)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test.each([
    [{ resendVia: 'pigeon' }, 'resendVia'],
    [{ codeLength: 4 }, 'codeLength'],
    [{ codelength: 6 }, 'codelength'],
  ])('says what is wrong with the options %j', (options, option) => {
    const client = new AuthyClient({ apiKey: sandbox.authy.apiKey, baseUrl: sandbox.authy.url })
    expect(() => authyVerification(client, options as AuthyVerificationOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', option }),
    )
    expect(() => authyVerification({} as AuthyClient)).toThrow(expect.objectContaining({ option: 'phones' }))
  })
})

import { createHmac } from 'node:crypto'
import { request } from 'node:http'
import express from 'express'
import fc from 'fast-check'
import { createTransport } from 'nodemailer'
import addressparser from 'nodemailer/lib/addressparser/index.js'
import { MailRefusedError } from 'passport-outofband'
import { MemoryStateStore } from 'passport-outofband/stores'
import {
  affoMailSender,
  affoSmsSender,
  emailGateway,
  nodemailerTransport,
  smsGateway,
  templateMailSender,
  type EmailGatewayOptions,
  type OutgoingMail,
  type SmsMessage,
  type SmsOutcome,
} from 'passport-outofband/users'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseMailbox } from '../../src/users/mail-address.js'
import { listen } from '../support/listen.js'
import { startSmtpServer } from '../support/smtp-server.js'
import { settle, testRuntime } from '../support/test-runtime.js'
import { waitFor } from '../support/wait-for.js'
import { send, startService, type Reply } from './service.js'

const secret = 's'.repeat(32)
const DAY = 86_400_000

async function smsService(outcome: SmsOutcome | Error = { status: 'sent' }, parser?: express.RequestHandler) {
  const texts: SmsMessage[] = []
  const sender = {
    name: 'test',
    send: async (message: SmsMessage) => {
      texts.push(message)
      if (outcome instanceof Error) throw outcome
      return outcome
    },
  }
  const app = express()
  if (parser !== undefined) app.use(parser)
  const server = await listen(app.use(smsGateway({ sender, credential: false })))
  onTestFinished(() => server.close())
  const body = { user_id: '', from: 'AFFO', phone: '+15550001', message: 'hello' }
  return {
    url: `${server.url}/sms/`,
    texts,
    body,
    sms: (change: object = {}): Promise<Reply> => send(`${server.url}/sms/`, 'POST', { body: { ...body, ...change } }),
    raw: (raw: string | Buffer, headers: Record<string, string> = {}): Promise<Reply> =>
      send(`${server.url}/sms/`, 'POST', { raw, headers: { 'content-type': 'application/json', ...headers } }),
  }
}

async function mailService(options: Partial<EmailGatewayOptions> = {}) {
  const { runtime, clock } = testRuntime()
  const mails: OutgoingMail[] = []
  const logs: unknown[] = []
  const log = (...entry: unknown[]): void => void logs.push(entry)
  const state = new MemoryStateStore({ runtime })
  const email = emailGateway({
    transport: { deliver: async (mail) => void mails.push(mail) },
    state,
    credential: false,
    secret,
    runtime,
    logger: { debug: log, info: log, warn: log, error: log },
    ...options,
  })
  const server = await listen(express().use(email))
  onTestFinished(() => server.close())
  const body = { from_: 'bank@example.com', to: ['ada@example.com'], subject: 'S', html: null, text: 'T', tag: 'news' }
  return {
    url: server.url,
    email,
    mails,
    logs,
    clock,
    state,
    body,
    mail: (change: object = {}): Promise<Reply> =>
      send(`${server.url}/message/`, 'POST', { body: { ...body, ...change } }),
    template: (name: string, change: object = {}): Promise<Reply> =>
      send(`${server.url}/template/${name}/send/`, 'POST', { body: { ...body, variables: {}, ...change } }),
    get: (path: string): Promise<Reply> => send(`${server.url}${path}`, 'GET'),
    tokenFor: async (address: string, tag = 'news'): Promise<string> => {
      const path = `/unsubscribe/${encodeURIComponent(address)}/token/${encodeURIComponent(tag)}/`
      return String((await send(server.url + path, 'GET')).body['token'])
    },
  }
}

const hostile: readonly unknown[] = [[], {}, ['x'], { a: 1 }, 0, 1, true, null, [['ada@example.com']], { length: 3 }]

describe('the SMS gateway service', () => {
  test.each(['user_id', 'from', 'phone', 'message'])('takes nothing but a text as %s', async (name) => {
    const { sms, texts } = await smsService()
    for (const value of hostile) {
      expect([value, (await sms({ [name]: value })).status]).toEqual([value, 400])
    }
    expect(texts).toEqual([])
  })

  test('takes nothing but a boolean as retry, and nothing from a prototype', async () => {
    const { sms, raw, texts } = await smsService()
    for (const value of [...hostile.filter((each) => typeof each !== 'boolean'), 'true', 'false', '']) {
      expect([value, (await sms({ retry: value })).status]).toEqual([value, 400])
    }
    const inherited =
      '{"__proto__": {"user_id":"","from":"A","phone":"+1","message":"m"}, "constructor": {"prototype": {}}}'
    expect((await raw(inherited)).status).toBe(400)
    const polluted = '{"user_id":"","from":"A","phone":"+1","message":"m","__proto__":{"retry":true}}'
    expect((await raw(polluted)).status).toBe(201)
    expect(texts).toEqual([{ from: 'A', to: '+1', text: 'm', retry: false }])
  })

  test.each([
    ['emoji', '👩‍👩‍👧 é ß ﷽'],
    ['a lone surrogate', '\ud800'],
    ['control characters', 'a\u0000b\r\nc\u2028d\u202e'],
    ['918 emoji', '👋'.repeat(918)],
  ])('hands on %s as they are', async (_what, message) => {
    const { sms, texts } = await smsService()
    expect((await sms({ message })).status).toBe(201)
    expect(texts[0]?.text).toBe(message)
  })

  test('refuses what is too long or too large', async () => {
    const { sms, raw, body } = await smsService()
    expect((await sms({ message: 'x'.repeat(919) })).status).toBe(400)
    expect((await sms({ phone: '+'.repeat(31) })).status).toBe(400)
    expect((await sms({ from: 'x'.repeat(21) })).status).toBe(400)
    const tooLarge = await raw(JSON.stringify({ ...body, message: 'x'.repeat(70_000) }))
    expect([tooLarge.status, tooLarge.body]).toMatchObject([413, { status: 413 }])
    const nested = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
    expect((await raw(nested)).status).toBe(400)
    expect((await raw(`{"user_id":${nested},"from":"","phone":"","message":""}`)).status).toBe(400)
    expect((await raw(Buffer.from([0xff, 0xfe, 0x7b, 0x7d]))).status).toBe(400)
    expect((await raw('\ufeff{}')).status).toBe(400)
    expect((await raw('{"user_id":NaN}')).status).toBe(400)
    expect((await raw('{}', { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await raw('{}', { 'content-encoding': 'gzip' })).status).toBe(400)
  })

  test('survives deep nesting that the parser of the host has read', async () => {
    const { raw } = await smsService({ status: 'sent' }, express.json({ strict: false, limit: '1mb' }))
    const nested = `{"user_id":${'['.repeat(60_000)}${']'.repeat(60_000)}}`
    const { status } = await raw(nested)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
  })

  test('tells what the gateway said of a number in one short line', async () => {
    const description = `Number ${'9'.repeat(500)}\r\nSet-Cookie: a=b\u202e`
    const { sms } = await smsService({ status: 'invalid-number', description })
    const { status, body } = await sms()
    expect([status, body['code']]).toEqual([400, 'InvalidPhone'])
    expect(body['description']).toMatch(/^Number 9{100,193}$/)
    const quiet = await smsService({ status: 'invalid-number', description: '\r\n' })
    expect((await quiet.sms()).body).toEqual({ code: 'InvalidPhone', description: 'The number is not valid' })
  })

  test('answers 503 when the sender throws, and logs no number and no text', async () => {
    const { sms } = await smsService(new Error('+15550001 hello'))
    const answer = await sms()
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('30')
    expect(answer.text).not.toMatch(/15550001|hello/)
  })

  test('answers with headers that let nothing be kept or guessed', async () => {
    const { sms } = await smsService()
    const { headers } = await sms()
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-powered-by')).toBeNull()
  })
})

const notOne = [
  'ada@example.com, eve@example.com',
  'ada@example.com;eve@example.com',
  'ada@example.com eve@example.com',
  '"ada@example.com x"@evil.example',
  'Ada <ada@example.com>, Eve <eve@example.com>',
  'Group: ada@example.com, eve@example.com;',
  'ada@example.com\r\nBcc: eve@example.com',
  'ada@example.com\u0000',
  '<ada@example.com',
  'ada@example.com>',
  '<<ada@example.com>>',
  'Ada <ada@example.com> eve@example.com',
  '@example.com',
  'ada@',
  'ada@@example.com',
  'ada@example.com (eve@example.com)',
  'ada@[127.0.0.1]',
  'eve,ada@example.com',
  'ada@bank.example <eve@evil.example>',
  '"ada@bank.example" <eve@evil.example>',
  `${'x'.repeat(310)}@example.com`,
]

describe('the e-mail gateway service', () => {
  test.each(notOne)('takes %j neither as sender nor as recipient [SC 26]', async (address) => {
    const { mail, template, mails, email } = await mailService()
    for (const change of [
      { from_: address },
      { to: [address] },
      { cc: [address] },
      { bcc: ['b@example.com', address] },
    ]) {
      expect([change, (await mail(change)).status]).toEqual([change, 400])
    }
    expect((await template('password_reset', { to: [address] })).status).toBe(400)
    await email.idle()
    expect(mails).toEqual([])
  })

  test.each([
    'ada@example.com',
    'Ada <ada@example.com>',
    '"Bank, Inc." <ada@example.com>',
    'ä@bücher.example',
    "o'hara+x@a.b",
  ])('takes %j as one address', async (address) => {
    const { mail, mails, email } = await mailService()
    expect((await mail({ from_: address, to: [address] })).status).toBe(201)
    await email.idle()
    expect(mails[0]).toMatchObject({ from: address, to: [address] })
  })

  test.each(['Hi\r\nBcc: eve@example.com', 'a\nb', 'a\u0000b', 'a\u0085b', 'x'.repeat(999)])(
    'takes no subject %j [SC 26]',
    async (subject) => {
      const { mail, template } = await mailService()
      expect((await mail({ subject })).status).toBe(400)
      expect((await template('password_reset', { subject })).status).toBe(400)
    },
  )

  test.each(['from_', 'to', 'subject', 'html', 'text', 'tag', 'cc', 'bcc'])(
    'takes nothing but what it wants as %s',
    async (name) => {
      const { mail } = await mailService()
      const fine = new Set(['html', 'text', 'cc', 'bcc'].includes(name) ? [null] : [])
      for (const value of hostile.filter((each) => !fine.has(each as null))) {
        const isList = ['to', 'cc', 'bcc'].includes(name)
        if (isList && Array.isArray(value) && value.length === 0) continue
        expect([value, (await mail({ [name]: value })).status]).toEqual([value, 400])
      }
    },
  )

  test('knows no template by another name, path or prototype', async () => {
    const { template } = await mailService({ templates: { mine: () => ({ text: 'x', html: '' }) } })
    for (const name of [
      '__proto__',
      'constructor',
      'toString',
      'password_reset.txt',
      '..%2fpassword_reset',
      '%2e%2e',
      'password_reset%00',
      'PASSWORD_RESET',
      'x'.repeat(2000),
      '%ff',
    ]) {
      expect([name, (await template(name)).status]).toEqual([name, 404])
    }
    expect((await template('mine')).status).toBe(201)
  })

  test('evaluates nothing in variables, whatever they are', async () => {
    const { template, mails, email } = await mailService()
    const url = 'https://app.example.com/?token=T'
    for (const name of [
      ...hostile,
      '{token.__class__}',
      '${process.env}',
      '{{7*7}}',
      '<script>alert(1)</script>',
      '%s\r\n%n',
    ]) {
      expect((await template('password_reset', { variables: { name, password_reset_url: url } })).status).toBe(201)
    }
    for (const value of hostile) {
      expect((await template('password_reset', { variables: { password_reset_url: value } })).status).toBe(201)
    }
    expect(
      (await template('password_reset', { variables: JSON.parse('{"__proto__":{"name":"x"}}') as object })).status,
    ).toBe(201)
    await email.idle()
    expect(mails.map(({ text }) => text).join()).not.toMatch(/49|script>|\[object|process\.env}.*PATH/)
    expect(mails.every(({ html }) => html === '')).toBe(true)
  })

  test.each([
    ['You won! evil.example/x', 'You won! evil example/x'],
    ['www.evil.example', 'evil example'],
    ['https://evil.example', 'evil example'],
    ['J. R. Smith', 'J. R. Smith'],
    ['a\r\nb', 'a  b'],
  ])('makes no link of the name %j [SC 26]', async (name, shown) => {
    const { template, mails, email } = await mailService()
    await template('password_reset', { variables: { name, password_reset_url: 'https://app.example.com/' } })
    await email.idle()
    expect(mails[0]?.text.split('\n')[0]).toBe(`Hello ${shown},`)
  })

  test('answers 400 when a template of the application throws', async () => {
    const { template, logs } = await mailService({
      templates: {
        strict: ({ name }) => {
          if (typeof name !== 'string') throw new TypeError('no name')
          return { text: name, html: '' }
        },
      },
    })
    expect((await template('strict', { variables: { name: [] } })).status).toBe(400)
    expect(logs).toHaveLength(1)
    expect((await template('strict', { variables: { name: 'x' } })).status).toBe(201)
  })

  test('refuses what is too large or too many', async () => {
    const { mail, template, url } = await mailService()
    expect((await mail({ text: 'x'.repeat(1_100_000) })).status).toBe(413)
    expect((await template('password_reset', { variables: { name: 'x'.repeat(300_000) } })).status).toBe(413)
    expect((await mail({ to: Array.from({ length: 101 }, (_, index) => `${index}@example.com`) })).status).toBe(400)
    expect((await mail({ tag: 'x'.repeat(65) })).status).toBe(400)
    const nested = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`
    const raw = `{"from_":"a@b","to":["a@b"],"subject":"","tag":"","variables":${nested}}`
    const headers = { 'content-type': 'application/json' }
    const answer = await send(`${url}/template/password_reset/send/`, 'POST', { raw: raw.slice(0, 250_000), headers })
    expect(answer.status).toBe(400)
  })

  test('takes no mail that it has no room for, instead of losing it', async () => {
    const release: (() => void)[] = []
    const transport = { deliver: () => new Promise<void>((resolve) => void release.push(resolve)) }
    const { mail, email } = await mailService({ transport })
    for (let sent = 0; sent < 1000; sent += 100) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => mail()))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    }
    expect((await mail()).status).toBe(503)
    for (const resolve of release) resolve()
    await email.idle()
    expect((await mail()).status).toBe(201)
    release.at(-1)?.()
  })

  test('waits for no mail server for ever', async () => {
    let tries = 0
    const transport = { deliver: () => ((tries += 1), new Promise<void>(() => undefined)) }
    const { mail, email, clock } = await mailService({ transport, timeoutMs: 5000, retrySeconds: [2] })
    expect((await mail()).status).toBe(201)
    await waitFor(() => clock.sleeping === 1)
    await clock.advance(4999)
    expect(tries).toBe(1)
    await clock.advance(10_000)
    await email.idle()
    expect([tries, clock.sleeping]).toEqual([2, 0])
  })

  test('tries a mail again that a server did not take, later and later, and not one that it refuses', async () => {
    const tried: number[] = []
    const failing = new Map([['ada@example.com', 2]])
    const service = await mailService({
      retrySeconds: [2, 10],
      transport: {
        deliver: async ({ to: [to = ''] }) => {
          tried.push(service.clock.now())
          if (to.startsWith('no')) throw new MailRefusedError('test', 'no such user')
          const left = failing.get(to) ?? 0
          failing.set(to, left - 1)
          if (left > 0) throw new Error(`450 ${to} later`)
        },
      },
    })
    const start = service.clock.now()
    await service.mail()
    await settle()
    await service.clock.advance(30_000)
    await service.email.idle()
    expect(tried.map((at) => at - start)).toEqual([0, 2000, 12_000])
    tried.length = 0
    await service.mail({ to: ['no@example.com'] })
    await service.email.idle()
    expect(tried).toHaveLength(1)
    expect(JSON.stringify(service.logs)).not.toMatch(/ada@|no@/)
  })
})

describe('unsubscribing', () => {
  test('takes no token that the service did not make', async () => {
    const { get, mail, tokenFor } = await mailService()
    const token = await tokenFor('ada@example.com')
    const [payload = '', signature = ''] = token.split('.')
    const other = Buffer.from(JSON.stringify({ email: 'eve@example.com', tag: 'news' })).toString('base64url')
    const sign = (text: string, key: string): string => createHmac('sha256', key).update(text).digest('base64url')
    for (const forged of [
      `${other}.${signature}`,
      `${payload}.${signature.slice(0, -1)}`,
      `${payload}.${signature}x`,
      `${payload}.`,
      `.${signature}`,
      `${payload}.${signature}.x`,
      `${payload}=.${signature}`,
      payload,
      `${other}.${sign(`unsubscribe ${other}`, 'x'.repeat(32))}`,
      `${other}.${sign(other, secret)}`,
      'e30.e30',
      '%00.%00',
      'é.é',
    ]) {
      expect([forged, (await get(`/unsubscribe/${forged}/`)).status]).toEqual([forged, 400])
    }
    expect((await mail()).body['status']).toBe('PARTIALLY_SKIPPED')
    expect((await get(`/unsubscribe/${token}/`)).status).toBe(200)
    expect((await mail()).body['status']).toBe('SKIPPED')
  })

  test('holds for an address however it is written, and wherever it stands', async () => {
    const { get, mail, tokenFor, mails, email } = await mailService()
    await get(`/unsubscribe/${await tokenFor('Ada@Example.com')}/`)
    expect((await mail({ to: ['"Ada" <ADA@example.COM>'] })).body['status']).toBe('SKIPPED')
    await mail({ to: ['bob@example.com'], cc: ['ada@example.com'], bcc: ['ada@EXAMPLE.com', 'carol@example.com'] })
    await email.idle()
    expect(mails).toMatchObject([{ to: ['bob@example.com'], cc: [], bcc: ['carol@example.com'] }])
  })

  test('is not done by a program that only looks whether the link is there', async () => {
    const { url, mail, tokenFor } = await mailService()
    const token = await tokenFor('ada@example.com')
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${url}/unsubscribe/${token}/`, { method: 'HEAD', agent: false }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
        .on('error', reject)
        .end()
    })
    expect(status).toBe(200)
    expect((await mail()).body['status']).toBe('PARTIALLY_SKIPPED')
  })

  test('lasts as long as mails go on', async () => {
    const { get, mail, tokenFor, clock } = await mailService()
    await get(`/unsubscribe/${await tokenFor('ada@example.com')}/`)
    for (let days = 0; days < 1500; days += 300) {
      clock.set(clock.now() + 300 * DAY)
      expect((await mail()).body['status']).toBe('SKIPPED')
    }
  })

  test('gives no token for what is no address, or for more than a tag', async () => {
    const { get } = await mailService()
    for (const address of ['ada', `${'x'.repeat(400)}@example.com`, 'a%40b.example%2C%20eve%40example.com']) {
      expect((await get(`/unsubscribe/${address}/token/news/`)).status).toBe(400)
    }
    expect((await get(`/unsubscribe/a%40b.example/token/${'x'.repeat(65)}/`)).status).toBe(400)
  })
})

test('what is taken as one address is one for the mail library too, and the same', () => {
  const part = fc.constantFrom(
    ...'a b @ . < > " \\ , ; : ( ) [ ] = ? é \u200b'.split(' '),
    ' ',
    'ada@a.example',
    '=?utf-8?q?x?=',
    '<b@b.example>',
  )
  const texts = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''))
  let taken = 0
  fc.assert(
    fc.property(texts, (text) => {
      const mailbox = parseMailbox(text)
      if (mailbox === undefined) return
      taken += 1
      const read = addressparser(text)
      expect(read).toHaveLength(1)
      expect(read[0]).toMatchObject({ address: mailbox.address })
    }),
    { numRuns: 20_000 },
  )
  expect(taken).toBeGreaterThan(100)
})

test('the user service takes one address only as the sender of its mails', async () => {
  const refusal = expect.objectContaining({ code: 'ERR_OPTION', option: 'reset.from' })
  await expect(startService({ reset: { from: 'a@a.example, b@b.example' } })).rejects.toThrow(refusal)
  await startService({ reset: { from: 'Bank <noreply@bank.example>' } })
})

describe('the senders', () => {
  test.each(notOne)('a mail server is given no recipient %j [SC 26]', async (to) => {
    const smtp = await startSmtpServer()
    const transporter = createTransport({ host: '127.0.0.1', port: smtp.port, ignoreTLS: true })
    const sender = templateMailSender(nodemailerTransport(transporter))
    const mail = {
      template: 'password_changed',
      from: 'Bank <bank@example.com>',
      subject: 'S',
      variables: {},
      tag: 't',
    }
    await expect(sender.send({ ...mail, to })).rejects.toMatchObject({ code: 'ERR_MAIL_REFUSED' })
    expect(smtp.connections).toBe(0)
  })

  test('a mail server is given names and addresses as they were meant', async () => {
    const smtp = await startSmtpServer()
    const transporter = createTransport({ host: '127.0.0.1', port: smtp.port, ignoreTLS: true })
    const mail = { cc: [], bcc: ['eve@example.com'], subject: 'Grüße', text: '.\n..\nFrom x', html: '' }
    await nodemailerTransport(transporter).deliver({
      ...mail,
      from: '"Bank, Inc." <bank@example.com>',
      to: ['Ada <ada@example.com>'],
    })
    await waitFor(() => smtp.mails.length === 1)
    expect(smtp.mails[0]).toContain('From: "Bank, Inc." <bank@example.com>')
    expect(smtp.mails[0]).toContain('To: Ada <ada@example.com>')
    expect(smtp.mails[0]).not.toContain('eve@')
  })

  test.each([
    ['ftp://a.example/', 'rootUrl'],
    ['http://user:pass@a.example/', 'rootUrl'],
    ['http://a.example/?x=1', 'rootUrl'],
  ])('take no rootUrl %s', (rootUrl, option) => {
    const refusal = expect.objectContaining({ code: 'ERR_OPTION', option })
    expect(() => affoSmsSender({ rootUrl })).toThrow(refusal)
    expect(() => affoMailSender({ rootUrl })).toThrow(refusal)
  })

  test('take no credential that is no header', () => {
    const refusal = expect.objectContaining({ code: 'ERR_OPTION', option: 'credential' })
    expect(() => affoSmsSender({ rootUrl: 'http://a.example/', credential: 'a\r\nb' })).toThrow(refusal)
  })

  test('pass on what a gateway says of a number in one short line', async () => {
    const description = `a\r\nb${'x'.repeat(1000)}`
    const server = await listen(express().post('/sms/', (_req, res) => void res.status(400).json({ description })))
    onTestFinished(() => server.close())
    const outcome = await affoSmsSender({ rootUrl: server.url }).send({ from: '', to: '+1', text: '', retry: false })
    expect(outcome).toMatchObject({
      status: 'invalid-number',
      description: expect.stringMatching(/^a {2}bx{190,200}$/),
    })
  })
})

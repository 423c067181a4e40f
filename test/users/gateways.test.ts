import express from 'express'
import { createTransport } from 'nodemailer'
import { MemoryStateStore } from 'passport-outofband/stores'
import {
  affoMailSender,
  affoSmsSender,
  clickatellGateway,
  emailGateway,
  nodemailerTransport,
  roundRobin,
  smsGateway,
  templateMailSender,
  twilioGateway,
  type OutgoingMail,
  type SmsAttempt,
  type SmsOutcome,
  type SmsSender,
} from 'passport-outofband/users'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listen } from '../support/listen.js'
import { testRuntime } from '../support/test-runtime.js'
import { send } from './service.js'

const message = { from: 'AFFO', to: '+15550001234', text: 'code 123456', retry: false }

function ring(names: readonly string[], options: { failuresBeforeRest?: number; restSeconds?: number } = {}) {
  const { runtime, clock } = testRuntime()
  const state = new MemoryStateStore({ runtime })
  const outcomes = new Map<string, SmsOutcome['status'] | 'throws'>()
  const tried: string[] = []
  const attempts: SmsAttempt[] = []
  const gateways = names.map((name): SmsSender => ({
    name,
    async send() {
      tried.push(name)
      const status = outcomes.get(name) ?? 'sent'
      if (status === 'throws') throw new Error('broken')
      return { status, reason: 'x', description: 'x' }
    },
  }))
  const sender = roundRobin({ gateways, state, runtime, onAttempt: (attempt) => attempts.push(attempt), ...options })
  const sendTo = async (to: string, retry = false) => {
    tried.length = 0
    const { status } = await sender.send({ ...message, to, retry })
    return [status, ...tried]
  }
  return { sendTo, outcomes, clock, attempts, state }
}

describe('the round robin', () => {
  test('keeps the gateway of a number, and a resend takes the next, around the ring', async () => {
    const { sendTo } = ring(['a', 'b', 'c'])
    expect(await sendTo('1')).toEqual(['sent', 'a'])
    expect(await sendTo('1')).toEqual(['sent', 'a'])
    expect(await sendTo('1', true)).toEqual(['sent', 'b'])
    expect(await sendTo('1')).toEqual(['sent', 'b'])
    expect(await sendTo('1', true)).toEqual(['sent', 'c'])
    expect(await sendTo('1', true)).toEqual(['sent', 'a'])
    expect(await sendTo('2', true)).toEqual(['sent', 'a'])
  })

  test('hands a message that failed to the next gateway, each once, and fails when all do', async () => {
    const { sendTo, outcomes, attempts } = ring(['a', 'b', 'c'])
    outcomes.set('a', 'failed').set('b', 'throws')
    expect(await sendTo('1')).toEqual(['sent', 'a', 'b', 'c'])
    expect(attempts.map(({ gateway, outcome }) => [gateway, outcome])).toEqual([
      ['a', 'failed'],
      ['b', 'failed'],
      ['c', 'sent'],
    ])
    expect(await sendTo('1')).toEqual(['sent', 'c'])
    outcomes.set('c', 'failed')
    expect(await sendTo('2')).toEqual(['failed', 'a', 'b', 'c'])
    expect(JSON.stringify(attempts)).not.toContain('123456')
  })

  test('takes an invalid number for invalid everywhere', async () => {
    const { sendTo, outcomes } = ring(['a', 'b'])
    outcomes.set('a', 'invalid-number')
    expect(await sendTo('1')).toEqual(['invalid-number', 'a'])
  })

  test('lets a failing gateway rest, probes it with one message, and takes it back', async () => {
    const { sendTo, outcomes, clock } = ring(['a', 'b'], { failuresBeforeRest: 2, restSeconds: 30 })
    outcomes.set('a', 'failed')
    expect(await sendTo('1')).toEqual(['sent', 'a', 'b'])
    expect(await sendTo('2')).toEqual(['sent', 'a', 'b'])
    expect(await sendTo('3')).toEqual(['sent', 'b'])
    clock.set(clock.now() + 29_000)
    expect(await sendTo('4')).toEqual(['sent', 'b'])
    clock.set(clock.now() + 2_000)
    expect(await sendTo('5')).toEqual(['sent', 'a', 'b'])
    expect(await sendTo('6')).toEqual(['sent', 'b'])
    clock.set(clock.now() + 31_000)
    outcomes.set('a', 'sent')
    expect(await sendTo('7')).toEqual(['sent', 'a'])
    expect(await sendTo('8')).toEqual(['sent', 'a'])
  })

  test('tries a resting gateway rather than none', async () => {
    const { sendTo, outcomes } = ring(['a'], { failuresBeforeRest: 1 })
    outcomes.set('a', 'failed')
    expect(await sendTo('1')).toEqual(['failed', 'a'])
    outcomes.set('a', 'sent')
    expect(await sendTo('2')).toEqual(['sent', 'a'])
  })

  test('tries a resting gateway when all others have failed', async () => {
    const { sendTo, outcomes } = ring(['a', 'b'], { failuresBeforeRest: 1 })
    outcomes.set('a', 'failed')
    expect(await sendTo('1')).toEqual(['sent', 'a', 'b'])
    outcomes.set('a', 'sent').set('b', 'failed')
    expect(await sendTo('2')).toEqual(['sent', 'b', 'a'])
  })

  test('keeps the probe of a gateway for a message that gets to it', async () => {
    const { sendTo, outcomes, clock } = ring(['a', 'b'], { failuresBeforeRest: 1, restSeconds: 30 })
    outcomes.set('b', 'failed')
    await sendTo('1')
    expect(await sendTo('1', true)).toEqual(['sent', 'b', 'a'])
    clock.set(clock.now() + 31_000)
    // The first gateway takes this one; b is not asked, and still may be.
    expect(await sendTo('2')).toEqual(['sent', 'a'])
    outcomes.set('b', 'sent')
    expect(await sendTo('1', true)).toEqual(['sent', 'b'])
  })

  test('probes with one message, however many come at once', async () => {
    const { sendTo, outcomes, clock, attempts } = ring(['a', 'b'], { failuresBeforeRest: 1, restSeconds: 30 })
    outcomes.set('a', 'failed')
    await sendTo('1')
    clock.set(clock.now() + 31_000)
    attempts.length = 0
    await Promise.all(Array.from({ length: 20 }, (_, index) => sendTo(`burst ${index}`)))
    expect(attempts.filter(({ gateway }) => gateway === 'a')).toHaveLength(1)
    expect(attempts.filter(({ outcome }) => outcome === 'sent')).toHaveLength(20)
  })

  test('forgets failures that were not in a row', async () => {
    const { sendTo, outcomes } = ring(['a', 'b'], { failuresBeforeRest: 2 })
    for (const [index, status] of (['failed', 'sent', 'failed'] as const).entries()) {
      outcomes.set('a', status)
      await sendTo(String(index))
    }
    expect(await sendTo('4')).toEqual(['sent', 'a', 'b'])
  })

  test('sends on when the listener of attempts throws', async () => {
    const { runtime } = testRuntime()
    const gateways = [{ name: 'a', send: async () => ({ status: 'sent' as const }) }]
    const onAttempt = (): never => {
      throw new Error('broken')
    }
    const sender = roundRobin({ gateways, state: new MemoryStateStore({ runtime }), runtime, onAttempt })
    expect(await sender.send(message)).toMatchObject({ status: 'sent', gateway: 'a' })
  })

  test('wants gateways with names of their own', () => {
    expect(() => ring(['a', 'a'])).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }))
  })
})

/** A server that answers everything in one way. */
async function gatewayThat(answer: (res: express.Response) => void, path = '/*splat') {
  const requests: { path: string; headers: express.Request['headers']; body: string }[] = []
  const app = express()
  app.use(express.text({ type: () => true }))
  app.post(path, (req, res) => {
    requests.push({ path: req.originalUrl, headers: req.headers, body: String(req.body) })
    answer(res)
  })
  const server = await listen(app)
  onTestFinished(() => server.close())
  return { url: server.url, requests }
}

describe.each([
  [
    'twilio',
    (baseUrl: string, timeoutMs: number) =>
      twilioGateway({ accountSid: 'AC1', authToken: 'the-token', baseUrl, timeoutMs }),
  ],
  ['clickatell', (baseUrl: string, timeoutMs: number) => clickatellGateway({ apiKey: 'the-key', baseUrl, timeoutMs })],
  ['affo-sms', (baseUrl: string, timeoutMs: number) => affoSmsSender({ rootUrl: baseUrl, timeoutMs })],
] as const)('the gateway %s', (name, make) => {
  const answers: ReadonlyArray<readonly [string, (res: express.Response) => void]> = [
    ['500', (res) => void res.status(500).json({ code: 20500 })],
    [
      'a redirect',
      (res) => {
        res.redirect(302, 'https://example.com/')
      },
    ],
    ['401 with text', (res) => void res.status(401).send('no')],
    ['an answer that is cut off', (res) => void res.socket?.destroy()],
    ['a megabyte', (res) => void res.status(400).send('x'.repeat(1_000_000))],
  ]
  test.each(answers)('that answers with %s has failed: an outcome, no error [SC 86]', async (_what, answer) => {
    const { url } = await gatewayThat(answer)
    expect(await make(url, 5000).send(message)).toMatchObject({ status: 'failed' })
  })

  test('that is too slow, or not there, has failed', async () => {
    const { url } = await gatewayThat(() => undefined)
    expect(await make(url, 50).send(message)).toMatchObject({ status: 'failed' })
    expect(await make('http://127.0.0.1:9', 5000).send(message)).toMatchObject({ status: 'failed' })
  })

  test('shows no credential in what it prints of itself [SC 90]', async () => {
    const { inspect } = await import('node:util')
    expect(inspect(make('http://127.0.0.1:9', 5000), { depth: 9 })).not.toMatch(/the-(token|key)/)
    expect(make('http://127.0.0.1:9', 5000).name).toBe(name)
  })
})

test('clickatell: 202 without an accepted message is no success', async () => {
  for (const body of [{}, { messages: [] }, { messages: [{ accepted: 'true' }] }, { messages: 'x' }, []]) {
    const { url } = await gatewayThat((res) => void res.status(202).json(body))
    expect(await clickatellGateway({ apiKey: 'the-key', baseUrl: url }).send(message)).toMatchObject({
      status: 'failed',
    })
  }
  const invalid = await gatewayThat(
    (res) => void res.status(202).json({ messages: [{ accepted: false, errorCode: 652 }] }),
  )
  expect(await clickatellGateway({ apiKey: 'k', baseUrl: invalid.url }).send(message)).toMatchObject({
    status: 'invalid-number',
  })
})

test('the user service can send through the SMS and e-mail gateways of this room', async () => {
  const mails: OutgoingMail[] = []
  const state = new MemoryStateStore()
  const credential = 'a-credential-that-is-long-enough'
  const twilio = await gatewayThat((res) => void res.status(201).json({ sid: 'SM1' }))
  const sender = twilioGateway({ accountSid: 'AC1', authToken: 't', baseUrl: twilio.url })
  const email = emailGateway({ transport: { deliver: async (mail) => void mails.push(mail) }, state, credential })
  const app = express().use('/sms-root', smsGateway({ sender, credential })).use('/mail-root', email)
  const server = await listen(app)
  onTestFinished(() => server.close())
  const sms = affoSmsSender({ rootUrl: `${server.url}/sms-root`, credential })
  expect(await sms.send(message)).toEqual({ status: 'sent' })
  expect(twilio.requests[0]?.body).toBe('To=%2B15550001234&From=AFFO&Body=code+123456')
  const stranger = affoSmsSender({ rootUrl: `${server.url}/sms-root`, credential: 'some-other-credential' })
  expect(await stranger.send(message)).toMatchObject({ status: 'failed', reason: 'HTTP 401' })
  const mail = {
    template: 'password_reset',
    from: 'a@example.com',
    to: 'b@example.com',
    subject: 'S',
    tag: 'password_reset',
  }
  const variables = { name: 'Eve https://evil.example\r\nx', password_reset_url: 'https://app.example.com/?token=T' }
  await affoMailSender({ rootUrl: `${server.url}/mail-root`, credential }).send({ ...mail, variables })
  await email.idle()
  expect(mails).toMatchObject([{ to: ['b@example.com'], subject: 'S', html: '' }])
  expect(mails[0]?.text).toMatch(/\?token=T$/)
  expect(mails[0]?.text).not.toContain('https://evil')
  await expect(
    affoMailSender({ rootUrl: `${server.url}/mail-root` }).send({ ...mail, variables }),
  ).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
})

test('the e-mail gateway knows its templates only, and lets nobody silence reset mails', async () => {
  const state = new MemoryStateStore()
  const email = emailGateway({
    transport: { deliver: async () => undefined },
    state,
    credential: false,
    secret: 's'.repeat(32),
  })
  const server = await listen(express().use(email))
  onTestFinished(() => server.close())
  const body = { from_: 'a@example.com', to: ['b@example.com'], subject: 'S', variables: {}, tag: 'news' }
  expect(await send(`${server.url}/template/constructor/send/`, 'POST', { body })).toMatchObject({ status: 404 })
  const { tag: _tag, ...without } = body
  expect(await send(`${server.url}/template/password_reset/send/`, 'POST', { body: without })).toMatchObject({
    status: 400,
  })
  expect(
    await send(`${server.url}/message/`, 'POST', {
      body: { ...body, subject: 'S\r\nBcc: x@example.com', html: '', text: '' },
    }),
  ).toMatchObject({ status: 400 })
  const tokenFor = async (tag: string): Promise<string> =>
    String((await send(`${server.url}/unsubscribe/b%40example.com/token/${tag}/`, 'GET')).body['token'])
  expect(await send(`${server.url}/unsubscribe/${await tokenFor('password_reset')}/`, 'GET')).toMatchObject({
    status: 400,
  })
  expect(await send(`${server.url}/unsubscribe/${await tokenFor('news')}/`, 'GET')).toMatchObject({
    status: 200,
    text: '',
  })
  expect(await send(`${server.url}/unsubscribe/e30.x/`, 'GET')).toMatchObject({ status: 400 })
  const message = { ...body, html: null, text: 'x' }
  expect(await send(`${server.url}/message/`, 'POST', { body: message })).toMatchObject({
    status: 201,
    body: { status: 'SKIPPED' },
  })
  expect(await send(`${server.url}/message/`, 'POST', { body: { ...message, tag: 'other' } })).toMatchObject({
    body: { status: 'PARTIALLY_SKIPPED', id: 2 },
  })
})

test('nodemailer delivers the mails of the service, without an e-mail gateway between', async () => {
  const sent: string[] = []
  const transporter = createTransport({ streamTransport: true, buffer: true })
  const wrapped = {
    sendMail: async (mail: object) => {
      const { message: built } = await transporter.sendMail(mail)
      if (Buffer.isBuffer(built)) sent.push(built.toString('utf8'))
    },
  }
  const sender = templateMailSender(nodemailerTransport(wrapped))
  const variables = { name: 'Alice', password_reset_url: 'https://app.example.com/?token=T' }
  await sender.send({
    template: 'password_reset',
    from: 'a@example.com',
    to: 'b@example.com',
    subject: 'Reset',
    variables,
    tag: '',
  })
  expect(sent[0]).toContain('Subject: Reset')
  expect(sent[0]?.replaceAll('=\r\n', '').replaceAll('=3D', '=')).toContain('https://app.example.com/?token=T')
})

import express from 'express'
import { createTransport } from 'nodemailer'
import { MailRefusedError } from 'passport-outofband'
import { MemoryStateStore } from 'passport-outofband/stores'
import {
  affoMailSender,
  emailGateway,
  mailRoundRobin,
  nodemailerTransport,
  templateMailSender,
  type MailAttempt,
  type MailSender,
  type OutgoingMail,
} from 'passport-outofband/users'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listen } from '../support/listen.js'
import { startSmtpServer, type SmtpManner, type SmtpServer } from '../support/smtp-server.js'
import { testRuntime } from '../support/test-runtime.js'
import { waitFor } from '../support/wait-for.js'
import { startService } from './service.js'

const mail = {
  template: 'password_reset',
  from: 'bank@example.com',
  to: 'ada@example.com',
  subject: 'Set a new password',
  variables: { name: 'Ada', password_reset_url: 'https://bank.example/reset?token=SECRET' },
  tag: 'password_reset',
}

type Manner = 'sent' | 'fails' | 'refuses' | 'hangs'

function ring(names: readonly string[], options: Partial<Parameters<typeof mailRoundRobin>[0]> = {}) {
  const { runtime, clock } = testRuntime()
  const state = new MemoryStateStore({ runtime })
  const manners = new Map<string, Manner>()
  const tried: string[] = []
  const attempts: MailAttempt[] = []
  const logs: unknown[] = []
  const log = (...entry: unknown[]): void => void logs.push(entry)
  const senderOf = (name: string): MailSender => ({
    async send() {
      tried.push(name)
      const manner = manners.get(name) ?? 'sent'
      if (manner === 'hangs') return new Promise(() => undefined)
      if (manner === 'refuses') throw new MailRefusedError(name, 'test')
      if (manner === 'fails') throw new Error(`550 no such user ${mail.to}`)
    },
  })
  const sender = mailRoundRobin({
    gateways: names.map((name) => ({ name, sender: senderOf(name) })),
    state,
    runtime,
    logger: { debug: log, info: log, warn: log, error: log },
    onAttempt: (attempt) => attempts.push(attempt),
    ...options,
  })
  const sendTo = async (to: string, template = 'password_reset'): Promise<readonly string[]> => {
    tried.length = 0
    const outcome = await sender.send({ ...mail, to, template }).then(
      () => 'sent',
      (error: unknown) => String(Reflect.get(Object(error), 'code')),
    )
    return [outcome, ...tried]
  }
  return { sender, sendTo, manners, clock, attempts, state, logs }
}

describe('the round robin of mails', () => {
  test('keeps the gateway of an address, and a mail that is asked for again soon takes the next', async () => {
    const { sendTo, clock } = ring(['a', 'b', 'c'], { resendSeconds: 600 })
    expect(await sendTo('ada@example.com')).toEqual(['sent', 'a'])
    clock.set(clock.now() + 599_000)
    expect(await sendTo('Ada@Example.com')).toEqual(['sent', 'b'])
    clock.set(clock.now() + 600_000)
    expect(await sendTo('ada@example.com')).toEqual(['sent', 'b'])
    expect(await sendTo('ada@example.com')).toEqual(['sent', 'c'])
    expect(await sendTo('ada@example.com')).toEqual(['sent', 'a'])
    expect(await sendTo('bob@example.com')).toEqual(['sent', 'a'])
    expect(await sendTo('ada@example.com', 'password_changed')).toEqual(['sent', 'a'])
  })

  test('hands a mail that failed to the next gateway, each once, and rejects when all do', async () => {
    const { sendTo, manners, attempts } = ring(['a', 'b', 'c'])
    manners.set('a', 'fails').set('b', 'refuses')
    expect(await sendTo('1@example.com')).toEqual(['sent', 'a', 'b', 'c'])
    expect(attempts.map(({ gateway, outcome, template }) => [gateway, outcome, template])).toEqual([
      ['a', 'failed', 'password_reset'],
      ['b', 'refused', 'password_reset'],
      ['c', 'sent', 'password_reset'],
    ])
    expect(attempts[0]?.at).toBeInstanceOf(Date)
    manners.set('c', 'fails')
    expect(await sendTo('2@example.com')).toEqual(['ERR_PROVIDER_UNREACHABLE', 'a', 'b', 'c'])
    manners.set('a', 'refuses').set('c', 'refuses')
    expect(await sendTo('3@example.com')).toEqual(['ERR_MAIL_REFUSED', 'a', 'b', 'c'])
  })

  test('records each attempt without address, subject or link [SC 90]', async () => {
    const { sendTo, manners, attempts, state, logs } = ring(['a', 'b'])
    manners.set('a', 'fails')
    await sendTo('ada@example.com')
    const stored = await state.get(`mail-ring:last:${attempts[0]?.addressDigest}`)
    expect(stored?.value).toMatchObject({
      gateway: 'b',
      attempts: [
        { gateway: 'a', outcome: 'failed' },
        { gateway: 'b', outcome: 'sent' },
      ],
    })
    expect(logs).toHaveLength(1)
    expect(JSON.stringify([attempts, stored, logs])).not.toMatch(/ada|SECRET|password"/)
  })

  test('takes the next gateway when one hangs', async () => {
    const { sendTo, manners, clock } = ring(['a', 'b'], { timeoutMs: 3000 })
    manners.set('a', 'hangs')
    const sending = sendTo('ada@example.com')
    await waitFor(() => clock.sleeping === 1)
    await clock.advance(3000)
    expect(await sending).toEqual(['sent', 'a', 'b'])
    expect(clock.sleeping).toBe(0)
  })

  test('lets a failing gateway rest, probes it with one mail, and takes it back', async () => {
    const { sendTo, manners, clock } = ring(['a', 'b'], { failuresBeforeRest: 2, restSeconds: 30 })
    manners.set('a', 'fails')
    expect(await sendTo('1@example.com')).toEqual(['sent', 'a', 'b'])
    expect(await sendTo('2@example.com')).toEqual(['sent', 'a', 'b'])
    expect(await sendTo('3@example.com')).toEqual(['sent', 'b'])
    clock.set(clock.now() + 31_000)
    expect(await sendTo('4@example.com')).toEqual(['sent', 'a', 'b'])
    expect(await sendTo('5@example.com')).toEqual(['sent', 'b'])
    clock.set(clock.now() + 31_000)
    manners.set('a', 'sent')
    expect(await sendTo('6@example.com')).toEqual(['sent', 'a'])
    expect(await sendTo('7@example.com')).toEqual(['sent', 'a'])
  })

  test('lets no gateway rest because strangers name addresses that it refuses', async () => {
    const { sendTo, manners } = ring(['a', 'b'], { failuresBeforeRest: 1 })
    manners.set('a', 'refuses')
    for (const name of ['1', '2', '3']) expect(await sendTo(`${name}@example.com`)).toEqual(['sent', 'a', 'b'])
    manners.set('a', 'sent')
    expect(await sendTo('4@example.com')).toEqual(['sent', 'a'])
  })

  test('tries a resting gateway rather than none, after the others', async () => {
    const { sendTo, manners } = ring(['a', 'b'], { failuresBeforeRest: 1 })
    manners.set('a', 'fails')
    expect(await sendTo('1@example.com')).toEqual(['sent', 'a', 'b'])
    manners.set('a', 'sent').set('b', 'fails')
    expect(await sendTo('2@example.com')).toEqual(['sent', 'b', 'a'])
  })

  test.each([
    [{ gateways: [] }, 'gateways'],
    [{ resendSecond: 1 }, 'resendSecond'],
    [{ gateways: [{ name: 'a', sender: { send: 1 } }] }, 'gateways.0.sender'],
  ])('says what is wrong with the options %j', (options, option) => {
    expect(() => ring(['a'], options as object)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option }))
    expect(() => ring(['a', 'a'])).toThrow(expect.objectContaining({ option: 'gateways' }))
  })
})

function smtpSender({ port }: SmtpServer): MailSender {
  const transporter = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, greetingTimeout: 300 })
  return templateMailSender(nodemailerTransport(transporter))
}

async function gatewayService() {
  const mails: OutgoingMail[] = []
  const transport = { deliver: async (outgoing: OutgoingMail) => void mails.push(outgoing) }
  const email = emailGateway({ transport, state: new MemoryStateStore(), credential: false })
  const server = await listen(express().use('/api/v1.0', email))
  onTestFinished(() => server.close())
  return { mails, sender: affoMailSender({ rootUrl: `${server.url}/api/v1.0/` }) }
}

describe('a mail server and an e-mail gateway service in one ring', () => {
  test.each<[SmtpManner, string]>([
    ['rejects-recipients', 'refused'],
    ['rejects-sender', 'failed'],
    ['wants-login', 'failed'],
    ['is-busy', 'failed'],
    ['hangs', 'failed'],
    ['breaks-off', 'failed'],
  ])('the service gets the mail when the server %s', async (manner, outcome) => {
    const smtp = await startSmtpServer(manner)
    const { mails, sender: service } = await gatewayService()
    const attempts: MailAttempt[] = []
    const sender = mailRoundRobin({
      gateways: [
        { name: 'smtp', sender: smtpSender(smtp) },
        { name: 'service', sender: service },
      ],
      state: new MemoryStateStore(),
      onAttempt: (attempt) => attempts.push(attempt),
    })
    await sender.send(mail)
    expect(attempts.map((attempt) => [attempt.gateway, attempt.outcome])).toEqual([
      ['smtp', outcome],
      ['service', 'sent'],
    ])
    await waitFor(() => mails.length === 1)
    expect(mails[0]).toMatchObject({ to: ['ada@example.com'], subject: 'Set a new password' })
    expect([smtp.connections, smtp.mails.length]).toEqual([1, 0])
  })

  test('the server gets the mail when the service is gone, or has no such template', async () => {
    const smtp = await startSmtpServer()
    const transporter = createTransport({ host: '127.0.0.1', port: smtp.port, ignoreTLS: true })
    const welcome = { welcome: () => ({ text: 'Welcome', html: '' }) }
    const { sender: service } = await gatewayService()
    const attempts: string[] = []
    const sender = mailRoundRobin({
      gateways: [
        { name: 'gone', sender: affoMailSender({ rootUrl: 'http://127.0.0.1:9/' }) },
        { name: 'service', sender: service },
        { name: 'smtp', sender: templateMailSender(nodemailerTransport(transporter), welcome) },
      ],
      state: new MemoryStateStore(),
      onAttempt: ({ gateway, outcome }) => attempts.push(`${gateway} ${outcome}`),
    })
    await sender.send({ ...mail, template: 'welcome', tag: 'welcome' })
    expect(attempts).toEqual(['gone failed', 'service refused', 'smtp sent'])
    expect(smtp.mails[0]).toContain('Welcome')
    expect(smtp.mails[0]).toContain('To: ada@example.com')
  })

  test('an error of a mail server holds neither the address nor the text [SC 90]', async () => {
    const smtp = await startSmtpServer('rejects-recipients')
    const error: unknown = await smtpSender(smtp)
      .send(mail)
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ERR_MAIL_REFUSED' })
    const { inspect } = await import('node:util')
    expect(inspect(error, { depth: 9 })).not.toMatch(/ada@|SECRET/)
  })

  test('a reset that is asked for twice arrives by both ways', async () => {
    const smtp = await startSmtpServer()
    const { mails, sender: gateway } = await gatewayService()
    const sender = mailRoundRobin({
      gateways: [
        { name: 'smtp', sender: smtpSender(smtp) },
        { name: 'service', sender: gateway },
      ],
      state: new MemoryStateStore(),
    })
    const service = await startService({ senders: { mail: sender }, reset: { origins: ['https://bank.example'] } })
    await service.register('ada')
    const body = { email: 'ada@example.com', url_template: 'https://bank.example/reset#{token}' }
    for (let count = 0; count < 2; count += 1) {
      expect((await service.call('POST', '/password/reset/', { body })).status).toBe(200)
      await service.service.idle()
    }
    await waitFor(() => mails.length === 1)
    expect([smtp.mails.length, mails.length]).toEqual([1, 1])
  })
})

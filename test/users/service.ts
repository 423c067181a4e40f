import type { Server } from 'node:http'
import express from 'express'
import { MemoryStateStore, MemoryUserStore } from 'passport-outofband/stores'
import {
  argon2Hasher,
  userService,
  type SmsMessage,
  type TemplateMail,
  type UserEvent,
  type UserService,
  type UserServiceOptions,
} from 'passport-outofband/users'
import { onTestFinished } from 'vitest'
import { listen } from '../support/listen.js'
import { testRuntime, type TestClock } from '../support/test-runtime.js'

export const SECRET = 'a secret of the tests, long enough: 0123456789'
export const PASSWORD = 'a rather long passphrase 1'
export const PASSWORD_2 = 'a rather long passphrase 2'
export const ADMIN_PASSWORD = 'the passphrase of the administrator'
// Hashed once for all tests of a file.
let adminHash: Promise<string> | undefined

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body if it is JSON, else an empty object. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface CallOptions {
  readonly token?: string
  readonly body?: unknown
  readonly raw?: string | Buffer
  readonly headers?: Record<string, string>
}

export interface TestService {
  readonly url: string
  readonly server: Server
  readonly service: UserService
  readonly store: MemoryUserStore
  readonly state: MemoryStateStore
  readonly clock: TestClock
  readonly texts: SmsMessage[]
  readonly mails: TemplateMail[]
  readonly notices: TemplateMail[]
  readonly events: UserEvent[]
  readonly logs: unknown[]
  call(method: string, path: string, options?: CallOptions): Promise<Reply>
  register(name: string, extra?: Record<string, unknown>): Promise<{ id: number; token: string; email: string }>
  login(email: string, password?: string, headers?: Record<string, string>): Promise<Reply>
  admin(): Promise<{ id: number; token: string }>
}

/** Sends one request and reads the whole answer. */
export async function send(url: string, method: string, options: CallOptions = {}): Promise<Reply> {
  const { token, body, raw, headers } = options
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(raw === undefined ? (body === undefined ? {} : { body: JSON.stringify(body) }) : { body: raw as BodyInit }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parse(text) }
}

/** A user service on loopback with stores in memory and a clock that stands still. */
export async function startService(extra: Partial<UserServiceOptions> = {}): Promise<TestService> {
  const { runtime, clock } = testRuntime()
  const store = new MemoryUserStore()
  const state = new MemoryStateStore({ runtime })
  const record = {
    texts: [] as SmsMessage[],
    mails: [] as TemplateMail[],
    notices: [] as TemplateMail[],
    events: [] as UserEvent[],
  }
  const logs: unknown[] = []
  const log = (details: object, message: string): void => void logs.push([message, details])
  const passwordHash = await (adminHash ??= argon2Hasher().hash(ADMIN_PASSWORD))
  for (const role of ['admin', 'service']) {
    const email = `${role}@example.com`
    const names = { phone: null, phoneKey: null, firstName: null, lastName: null }
    const account = { email, emailKey: email, ...names, passwordHash, isActive: true, roles: [role], at: clock.now() }
    await store.insert(account)
  }
  const service = userService({
    store,
    state,
    keys: SECRET,
    senders: {
      sms: { name: 'test', send: async (message) => (record.texts.push(message), { status: 'sent' }) },
      mail: { send: async (mail) => void record.mails.push(mail) },
      notices: { send: async (mail) => void record.notices.push(mail) },
    },
    reset: { origins: ['https://app.example.com'] },
    onEvent: (event) => record.events.push(event),
    runtime,
    logger: { debug: log, info: log, warn: log, error: log },
    ...extra,
  })
  const { url, server, ...listening } = await listen(express().use('/api', service))
  onTestFinished(() => listening.close())
  const call = (method: string, path: string, options?: CallOptions): Promise<Reply> =>
    send(`${url}/api${path}`, method, options)
  const login = (email: string, password = PASSWORD, headers = {}): Promise<Reply> =>
    call('POST', '/auth/login/', { body: { email, password }, headers })
  return {
    url: `${url}/api`,
    server,
    service,
    store,
    state,
    clock,
    logs,
    ...record,
    call,
    login,
    async register(name, more = {}) {
      const email = `${name}@example.com`
      const reply = await call('POST', '/user/', { body: { email, password: PASSWORD, ...more } })
      if (reply.status !== 201) throw new Error(reply.text)
      return { id: Number(reply.body['id']), token: tokenOf(reply), email }
    },
    async admin() {
      const reply = await login('admin@example.com', ADMIN_PASSWORD)
      return { id: Number(reply.body['id']), token: tokenOf(reply) }
    },
  }
}

/** The token in the newest reset mail. */
export function resetTokenOf(mails: readonly TemplateMail[]): string {
  return /token=(.+)$/.exec(mails.at(-1)?.variables['password_reset_url'] ?? '')?.[1] ?? ''
}

/** The code in the newest text message. */
export function codeOf(texts: readonly SmsMessage[]): string {
  return /(\d+)$/.exec(texts.at(-1)?.text ?? '')?.[1] ?? ''
}

/** `access_token` of an answer. */
export function tokenOf(reply: Reply): string {
  const token = reply.body['access_token']
  if (typeof token !== 'string') throw new Error(`there is no token in ${reply.text}`)
  return token
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

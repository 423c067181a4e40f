import express from 'express'
import express4 from 'express4'
import session, { MemoryStore } from 'express-session'
import {
  createApprovals,
  InvalidInputError,
  type ApprovalChannel,
  type Approvals,
  type JsonObject,
  type StateStore,
} from 'passport-outofband'
import { approvalOf, requireApproval, resubmitForm, type RequireApprovalOptions } from 'passport-outofband/middleware'
import { MemoryStateStore } from 'passport-outofband/stores'
import { listen } from '../support/listen.js'
import { phoneChannel, type PhoneChannel } from '../support/phone-channel.js'

export interface TransferApp {
  readonly url: string
  readonly approvals: Approvals
  readonly state: StateStore
  readonly phone: PhoneChannel
  /** What was executed: the idempotency key, and what was approved. */
  readonly executed: { readonly id: string; readonly bound: JsonObject }[]
  readonly errors: Error[]
  /** Decides the newest question as its recipient. */
  decide(status: 'approved' | 'denied', reference?: string): Promise<void>
  close(): Promise<void>
}

export interface TransferAppOptions {
  readonly express4?: boolean
  readonly state?: StateStore
  readonly sessions?: session.Store
  readonly channel?: ApprovalChannel
  readonly over?: Partial<RequireApprovalOptions>
  /** Runs after the redeem and before the transfer. */
  readonly before?: () => void
}

/** A transfer behind `requireApproval`. Who asks is said by a header; a session is there for those who keep cookies. */
export async function transferApp(options: TransferAppOptions = {}): Promise<TransferApp> {
  const state = options.state ?? new MemoryStateStore()
  const phone = phoneChannel()
  const approvals = createApprovals({ state, channels: [options.channel ?? phone] })
  const executed: { id: string; bound: JsonObject }[] = []
  const errors: Error[] = []
  const app = (options.express4 ? express4 : express)()
  app.use(express.json(), express.urlencoded({ extended: true, limit: '200kb' }))
  app.use(
    session({ secret: 'test', store: options.sessions ?? new MemoryStore(), resave: false, saveUninitialized: false }),
  )
  app.use((req, _res, next) => {
    const user = req.headers['x-user']
    if (typeof user === 'string') Reflect.set(req, 'user', { id: user })
    next()
  })
  app.post(
    '/transfers',
    requireApproval({
      approvals,
      state,
      channel: options.channel?.name ?? 'authy',
      purpose: 'transfer',
      bind: (req) => bind(req.body),
      message: ({ amountCents, payee }) =>
        `Pay ${Number(amountCents)} cents to ${typeof payee === 'string' ? payee : ''}?`,
      reference: (subject) => (subject === 'phoneless' ? undefined : `phone of ${subject}`),
      waitingPath: '/approvals/:id',
      caller: (req) =>
        typeof req.headers['x-jti'] === 'string' ? req.headers['x-jti'] : (Reflect.get(req, 'sessionID') as string),
      ...options.over,
    }),
    (req, res) => {
      const { id, bound } = approvalOf(req)
      options.before?.()
      executed.push({ id, bound })
      res.status(201).json({ id })
    },
  )
  app.get('/approvals/:id', (req, res, next) => {
    resubmitForm(req, req.params.id, { state, csrf: { field: '_csrf', token: 'fresh' } }).then(
      (form) => res.status(form ? 200 : 404).send(form ? form.html : 'nothing'),
      next,
    )
  })
  app.use((error: Error, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
    errors.push(error)
    res.status(500).json({ error: 'internal' })
  })
  const server = await listen(app)
  return {
    ...{ url: server.url, approvals, state, phone, executed, errors },
    decide: async (status, recipientReference = 'phone of alice') => {
      await approvals.settle({ channel: 'authy', reference: phone.asked.at(-1) ?? '', recipientReference, status })
    },
    close: () => server.close(),
  }
}

function bind(body: unknown): JsonObject {
  const { amountCents, payee }: { amountCents?: unknown; payee?: unknown } = Object(body) as object
  if (typeof payee !== 'string' || !/^\d{1,9}$/.test(String(amountCents))) {
    throw new InvalidInputError('body', 'a transfer has amountCents and payee')
  }
  return { amountCents: Number(amountCents), payee }
}

/** One browser: keeps its cookie, asks for HTML, follows nothing by itself. */
export class Browser {
  readonly #base: string
  #user: string
  #cookie = ''

  constructor(base: string, user = 'alice') {
    this.#base = base
    this.#user = user
  }

  async post(path: string, fields: Readonly<Record<string, string>> | readonly (readonly [string, string])[]) {
    const pairs = Symbol.iterator in fields ? [...fields] : Object.entries(fields)
    const body = new URLSearchParams(pairs.map(([name, value]) => [name, value]))
    return this.#send(path, { method: 'POST', body })
  }

  /** The same browser, in which somebody else has signed in. */
  as(user: string): this {
    this.#user = user
    return this
  }

  async get(path: string) {
    return this.#send(path, {})
  }

  /** What the browser does with the form of the waiting page. */
  async resubmit(path: string, change: Readonly<Record<string, string>> = {}) {
    const html = await (await this.get(path)).text()
    const action = unescape(/action="([^"]*)"/.exec(html)?.[1] ?? '')
    const fields = [...html.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name = '', value = '']) => {
      return [unescape(name), change[unescape(name)] ?? unescape(value)] as const
    })
    return this.post(action, fields)
  }

  async #send(path: string, init: RequestInit) {
    const headers = { accept: 'text/html', 'x-user': this.#user, cookie: this.#cookie }
    const response = await fetch(this.#base + path, { ...init, headers, redirect: 'manual' })
    this.#cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? this.#cookie
    return response
  }
}

function unescape(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

import { request, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { Logger } from 'passport-outofband'
import { MemoryStateStore } from 'passport-outofband/stores'
import {
  oneTouchCallback,
  signOneTouch,
  type OneTouchCallbackOptions,
  type OneTouchEvent,
} from 'passport-outofband/webhooks'
import express5 from 'express'
import express4 from 'express4'
import { onTestFinished } from 'vitest'
import { listen } from '../support/listen.js'
import { testRuntime } from '../support/test-runtime.js'

export const apiKey = 'Ck5vQ2hUaGlzSXNBVGVzdEtleTAx'
export const callbackUrl = 'https://app.example.com/authy/callback'
/** When the service sent the callback; the tests' clock starts here. Seconds. */
export const sentAt = 1_530_000_123

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** The body of a person's answer, in the shape of 2018. */
export function answerBody({ status = 'approved', transaction = {}, ...top }: Record<string, Json> = {}): Record<
  string,
  Json
> {
  return {
    authy_id: 1234567,
    device_uuid: 2102943,
    callback_action: 'approval_request_status',
    uuid: '996201c0-b7a7-0133-7c06-0e67b818e6fb',
    status,
    approval_request: {
      transaction: {
        details: { Amount: '10 €', 'Account Number': '981266321' },
        device_details: {},
        device_geolocation: '',
        device_signing_time: sentAt - 1,
        encrypted: false,
        flagged: false,
        hidden_details: { approval_id: 'f0e1d2c3b4a5968778695a4b3c2d1e0f' },
        message: 'Login requested',
        reason: '',
        requester_details: null,
        status,
        uuid: '996201c0-b7a7-0133-7c06-0e67b818e6fb',
        created_at_time: sentAt - 20,
        customer_uuid: 15083,
        ...(transaction as object),
      },
      expiration_timestamp: sentAt + 86_400,
      logos: null,
      app_id: '582380eb7e1caa03317ec08c',
    },
    signature: 'bW9ja2RldmljZXNpZ25hdHVyZS9vbmUrdHdvPT0vYWJjK2RlZg==',
    device: { city: null, id: 2102943, os_type: 'android', enabled_unlock_methods: ['pin', 'fingerprint'] },
    ...top,
  }
}

/** A callback as it goes over the wire. */
export interface Delivery {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Record<string, string | string[]>
  readonly body?: string | Buffer
}

interface Sender {
  readonly apiKey?: string
  readonly nonce?: string
  readonly url?: string
  readonly body?: string
}

/** A POST callback, signed as the service signs. */
export function posted(sender: Sender = {}): Delivery {
  const body = sender.body ?? JSON.stringify(answerBody())
  const nonce = sender.nonce ?? String(sentAt)
  const signature = signOneTouch({ apiKey, url: callbackUrl, ...sender, nonce, method: 'POST', rawBody: body })
  return {
    method: 'POST',
    path: '/authy/callback',
    headers: { 'Content-Type': 'application/json', 'X-Authy-Signature': signature, 'X-Authy-Signature-Nonce': nonce },
    body,
  }
}

/** The query of a GET callback, built by the test's own means. */
export function queryOf(body: Readonly<Record<string, Json>>): string {
  const encode = (text: string): string =>
    new URLSearchParams([['', text]]).toString().slice(1).replaceAll('*', '%2A').replaceAll('%7E', '~')
  const pairs = (name: string, value: Json): string[] => {
    if (Array.isArray(value)) return value.map((entry: Json) => pairs(`${name}[]`, entry).join('&')).filter(Boolean)
    if (typeof value !== 'object' || value === null) return [`${encode(name)}=${encode(String(value ?? ''))}`]
    return Object.entries(value).flatMap(([key, entry]) => pairs(`${name}[${key}]`, entry))
  }
  return Object.entries(body)
    .flatMap(([key, value]) => pairs(key, value))
    .sort()
    .join('&')
}

/** A GET callback, signed as the service signs. */
export function got(sender: Sender & { readonly query?: string } = {}): Delivery {
  const rawQuery = sender.query ?? queryOf(answerBody())
  const nonce = sender.nonce ?? String(sentAt)
  const signature = signOneTouch({ apiKey, url: callbackUrl, ...sender, nonce, method: 'GET', rawQuery })
  return {
    method: 'GET',
    path: `/authy/callback?${rawQuery}`,
    headers: { 'X-Authy-Signature': signature, 'X-Authy-Signature-Nonce': nonce },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Sends a callback to a server. Unfinished: the body never ends. */
export async function send(origin: string, delivery: Delivery, isUnfinished = false): Promise<Answer> {
  const { method, path, headers, body } = delivery
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
    const req = request(`${origin}${path}`, { method, headers: { ...length, ...headers } }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => {
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() })
      })
    })
    req.on('error', reject)
    if (isUnfinished) req.write(body)
    else req.end(body)
  })
}

/** One line of a log. */
export interface Line {
  readonly level: string
  readonly message: string
  readonly details: object
}

/** A logger that keeps what it is told. */
export function keptLog(): { readonly logger: Logger; readonly lines: Line[] } {
  const lines: Line[] = []
  const at = (level: string) => (details: object, message: string) => void lines.push({ level, message, details })
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}

/** How applications mount the handler. */
export const mounts: Readonly<
  Record<string, (handler: (req: IncomingMessage, res: ServerResponse) => void) => RequestListener>
> = {
  'Express 5': (handler) => express5().use('/authy/callback', handler),
  'Express 4': (handler) => express4().use('/authy/callback', handler),
  'plain node:http': (handler) => handler,
}

export interface Receiver {
  readonly origin: string
  readonly lines: readonly Line[]
  readonly events: readonly OneTouchEvent[]
  readonly clock: ReturnType<typeof testRuntime>['clock']
  send(delivery: Delivery): Promise<Answer>
  sendUnfinished(delivery: Delivery): Promise<Answer>
}

/** A running application that receives callbacks, with a clock that stands at {@link sentAt}. */
export async function receiving(
  options: Partial<OneTouchCallbackOptions> = {},
  mount: (handler: (req: IncomingMessage, res: ServerResponse) => void) => RequestListener = (handler) => handler,
): Promise<Receiver> {
  const { runtime, clock } = testRuntime(sentAt * 1000)
  const { logger, lines } = keptLog()
  const events: OneTouchEvent[] = []
  const onEvent = (event: OneTouchEvent): void => void events.push(event)
  const state = new MemoryStateStore({ runtime })
  const handler = oneTouchCallback({ apiKey, callbackUrl, state, onEvent, logger, runtime, ...options })
  const server = await listen(mount(handler))
  onTestFinished(() => server.close())
  return {
    origin: server.url,
    lines,
    events,
    clock,
    send: (delivery) => send(server.url, delivery),
    sendUnfinished: (delivery) => send(server.url, delivery, true),
  }
}

import { z } from 'zod'
import { parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, type Runtime } from '../runtime.js'
import { serviceRoot } from './gateway-address.js'
import { oneLine } from './one-line.js'
import { post, type OutboundReply } from './outbound.js'
import { isObject, member } from './schema.js'
import type { SmsMessage, SmsOutcome, SmsSender } from './senders.js'

export interface TwilioGatewayOptions {
  readonly accountSid: string
  readonly authToken: string
  /** Default `https://api.twilio.com`. `http:` only on loopback (the sandbox). */
  readonly baseUrl?: string
  /** Default 5000. */
  readonly timeoutMs?: number
  readonly runtime?: Partial<Runtime>
}

export interface ClickatellGatewayOptions {
  readonly apiKey: string
  /** Default `https://platform.clickatell.com`. `http:` only on loopback (the sandbox). */
  readonly baseUrl?: string
  /** Default 5000. */
  readonly timeoutMs?: number
  readonly runtime?: Partial<Runtime>
}

const secret = z.string().regex(/^[\x21-\x7e]{1,200}$/, { error: 'give the text without blanks' })
const common = {
  timeoutMs: z.int().min(1).max(60_000).default(5000),
  runtime: runtimeOption,
}
const baseUrl = (url: string): z.ZodType<string, string | undefined> =>
  z.url({ protocol: /^https?$/, error: 'give an http or https URL' }).default(url)

const twilioSchema = z.strictObject({
  accountSid: z.string().regex(/^[A-Za-z0-9]{1,64}$/, { error: 'letters and digits, beginning with AC' }),
  authToken: secret,
  baseUrl: baseUrl('https://api.twilio.com'),
  ...common,
})

const clickatellSchema = z.strictObject({
  apiKey: secret,
  baseUrl: baseUrl('https://platform.clickatell.com'),
  ...common,
})

const TWILIO_INVALID_NUMBER = '21211'
const CLICKATELL_INVALID_NUMBER = '652'

/** Sends through Twilio's Programmable Messaging (`POST .../Messages.json`). */
export function twilioGateway(options: TwilioGatewayOptions): SmsSender {
  const {
    accountSid,
    authToken,
    baseUrl: root,
    timeoutMs,
    runtime,
  } = parseOptions(twilioSchema, options, 'twilioGateway')
  const resolved = resolveRuntime(runtime)
  const url = `${serviceRoot('twilioGateway', root, authToken)}/2010-04-01/Accounts/${accountSid}/Messages.json`
  const headers = {
    authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
  }
  return gateway('twilio', async ({ from, to, text }) => {
    const body = new URLSearchParams({ To: to, From: from, Body: text }).toString()
    const { status, json } = await post('twilio', resolved, { url, headers, body, timeoutMs })
    if (status >= 200 && status < 300) return { status: 'sent' }
    const error = isObject(json) ? json : {}
    const code = codeOf(member(error, 'code'))
    if (status < 400 || code !== TWILIO_INVALID_NUMBER) return { status: 'failed', reason: reason(status, code) }
    return { status: 'invalid-number', description: oneLine(member(error, 'message'), 'The number is not valid') }
  })
}

/** Sends through Clickatell's platform (`POST /messages`, version 1). The sender is the account's; `from` is not sent. */
export function clickatellGateway(options: ClickatellGatewayOptions): SmsSender {
  const { apiKey, baseUrl: root, timeoutMs, runtime } = parseOptions(clickatellSchema, options, 'clickatellGateway')
  const resolved = resolveRuntime(runtime)
  const url = `${serviceRoot('clickatellGateway', root, apiKey)}/messages`
  // The bare key, without a scheme.
  const headers = { authorization: apiKey, 'content-type': 'application/json', 'x-version': '1' }
  return gateway('clickatell', async ({ to, text }) => {
    const body = JSON.stringify({ content: text, to: [to] })
    return clickatellOutcome(await post('clickatell', resolved, { url, headers, body, timeoutMs }))
  })
}

// A 202 says nothing yet: each message of the answer says whether it was taken.
function clickatellOutcome({ status, json }: OutboundReply): SmsOutcome {
  if (status < 200 || status >= 300) return { status: 'failed', reason: reason(status) }
  const messages = isObject(json) ? member(json, 'messages') : undefined
  const first = Array.isArray(messages) ? (messages as readonly unknown[])[0] : undefined
  if (!isObject(first)) return { status: 'failed', reason: 'the answer has no message' }
  if (member(first, 'accepted') === true) return { status: 'sent' }
  const code = codeOf(member(first, 'errorCode'))
  if (code === CLICKATELL_INVALID_NUMBER) {
    return {
      status: 'invalid-number',
      description: oneLine(member(first, 'errorDescription'), 'The number is not valid'),
    }
  }
  return { status: 'failed', reason: reason(status, code) }
}

function gateway(name: string, send: (message: SmsMessage) => Promise<SmsOutcome>): SmsSender {
  return {
    name,
    async send(message) {
      try {
        return { ...(await send(message)), gateway: name }
      } catch (error) {
        return { status: 'failed', reason: error instanceof Error ? error.name : 'unknown', gateway: name }
      }
    },
  }
}

// A number, or its digits as text: gateways have written both.
function codeOf(value: unknown): string | undefined {
  return (typeof value === 'number' || typeof value === 'string') && /^\d{1,9}$/.test(String(value))
    ? String(value)
    : undefined
}

function reason(status: number, code?: string): string {
  return code === undefined ? `HTTP ${status}` : `HTTP ${status}, code ${code}`
}

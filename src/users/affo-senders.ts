import { z } from 'zod'
import { MailRefusedError, ProviderProtocolError } from '../errors.js'
import { parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, type Runtime } from '../runtime.js'
import { oneLine } from './one-line.js'
import { post } from './outbound.js'
import { isObject, member } from './schema.js'
import type { MailSender, SmsMessage, SmsOutcome, SmsSender, TemplateMail } from './senders.js'

export interface GatewaySenderOptions {
  /** The root of the gateway, such as `http://sms.internal/api/v1.0/`. A missing slash at its end is added. */
  readonly rootUrl: string
  /** Sent as a bearer token, where the gateway asks for one. */
  readonly credential?: string
  /** Default 5000. */
  readonly timeoutMs?: number
  readonly runtime?: Partial<Runtime>
}

const optionsSchema = z.strictObject({
  rootUrl: z
    .url({ protocol: /^https?$/, error: 'give an http or https URL' })
    .refine((url) => !/[?#]|^https?:\/\/[^/]*@/i.test(url), { error: 'give a URL without user, query and fragment' }),
  credential: z
    .string()
    .regex(/^[\x21-\x7e]{1,512}$/, { error: 'give the text without blanks' })
    .optional(),
  timeoutMs: z.int().min(1).max(60_000).default(5000),
  runtime: runtimeOption,
})

/** Sends through an SMS gateway service with the wire form of the original's (`smsGateway` is one). */
export function affoSmsSender(options: GatewaySenderOptions): SmsSender {
  const { rootUrl, credential, timeoutMs, runtime } = parseOptions(optionsSchema, options, 'affoSmsSender')
  const url = `${withSlash(rootUrl)}sms/`
  const resolved = resolveRuntime(runtime)
  const headers = headersOf(credential)
  return {
    name: 'affo-sms',
    async send({ from, to, text, retry }: SmsMessage): Promise<SmsOutcome> {
      const body = JSON.stringify({ from, message: text, phone: to, retry, service_id: 'user-service', user_id: '' })
      try {
        const { status, json } = await post('affo-sms', resolved, { url, headers, body, timeoutMs })
        if (status >= 200 && status < 300) return { status: 'sent' }
        const description = isObject(json) ? member(json, 'description') : undefined
        if (status === 400 && typeof description === 'string') {
          return { status: 'invalid-number', description: oneLine(description, 'The number is not valid') }
        }
        return { status: 'failed', reason: `HTTP ${status}` }
      } catch (error) {
        return { status: 'failed', reason: error instanceof Error ? error.name : 'unknown' }
      }
    },
  }
}

/** Sends through an e-mail gateway service with the wire form of the original's (`emailGateway` is one). */
export function affoMailSender(options: GatewaySenderOptions): MailSender {
  const { rootUrl, credential, timeoutMs, runtime } = parseOptions(optionsSchema, options, 'affoMailSender')
  const resolved = resolveRuntime(runtime)
  const headers = headersOf(credential)
  return {
    async send({ template, from, to, subject, variables, tag }: TemplateMail): Promise<void> {
      const url = `${withSlash(rootUrl)}template/${encodeURIComponent(template)}/send/`
      const body = JSON.stringify({ from_: from, to: [to], subject, variables, tag })
      const { status } = await post('affo-email', resolved, { url, headers, body, timeoutMs })
      if (status === 400 || status === 404)
        throw new MailRefusedError('affo-email', status === 400 ? 'HTTP 400' : 'it has no such template')
      if (status < 200 || status >= 300)
        throw new ProviderProtocolError('affo-email', `the gateway answered ${status}`, { status })
    },
  }
}

function headersOf(credential: string | undefined): Readonly<Record<string, string>> {
  const type = { 'content-type': 'application/json' }
  return credential === undefined ? type : { ...type, authorization: `Bearer ${credential}` }
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`
}

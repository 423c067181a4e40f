import { randomBytes } from 'node:crypto'
import { normalPhone } from '../../users/phone-number.js'
import { header, json, type SandboxReply, type SandboxRequest } from '../http-message.js'
import { Router } from '../router.js'
import type { RunningStandIn, StandInContext } from '../stand-in.js'
import { deliverText } from './inbox.js'

/** The stand-in of Twilio's Programmable Messaging, as tests see it. */
export interface TwilioSandbox {
  readonly url: string
  readonly accountSid: string
  readonly authToken: string
}

const messages: Readonly<Record<number, readonly [status: number, message: string]>> = {
  20003: [401, 'Authenticate'],
  20004: [405, 'Method not allowed'],
  20404: [404, 'The requested resource was not found'],
  20429: [429, 'Too Many Requests'],
  20500: [500, 'Internal Server Error'],
  20503: [503, 'Service Unavailable'],
  21211: [400, "The 'To' number is not a valid phone number."],
  21602: [400, 'Message body is required.'],
  21603: [400, "A 'From' phone number is required."],
  21604: [400, "A 'To' phone number is required."],
  21617: [400, 'The concatenated message body exceeds the 1600 character limit.'],
}

/** Starts it: `POST /2010-04-01/Accounts/{sid}/Messages.json`; texts arrive on the phone. */
export async function startTwilio(context: StandInContext): Promise<RunningStandIn<TwilioSandbox>> {
  const accountSid = `ACsandbox${hex(25)}`
  const authToken = `sandbox${hex(25)}`
  const credentials = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`
  const router = new Router().add('POST', '/2010-04-01/Accounts/:sid/Messages.json', async (request, { sid }) => {
    if (sid !== accountSid) return refuse(20404)
    const body = (await request.body())?.toString('utf8') ?? ''
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(header(request, 'content-type') ?? '')
    return send(context, accountSid, new URLSearchParams(isForm ? body : ''))
  })
  const handler = (request: SandboxRequest): SandboxReply | Promise<SandboxReply> => {
    const isKnown = header(request, 'authorization') === credentials
    if (!isKnown) return { ...refuse(20003), headers: { ...form, 'www-authenticate': 'Basic realm="Twilio API"' } }
    const route = router.find(request.method, request.path)
    if (route === undefined) return refuse(20404)
    return route === 'method' ? refuse(20004) : route(request)
  }
  const { url } = await context.listen({ handler, errorReply })
  const handle = { url, accountSid, authToken }
  return { handle, describe: () => ({ ...handle }) }
}

function send(context: StandInContext, accountSid: string, params: URLSearchParams): SandboxReply {
  const given = params.get('To') ?? ''
  const from = params.get('From') ?? ''
  const text = params.get('Body') ?? ''
  if (given === '') return refuse(21604)
  if (from === '') return refuse(21603)
  if (text === '') return refuse(21602)
  if (Array.from(text).length > 1600) return refuse(21617)
  const to = normalPhone(given)
  if (to === undefined) return refuse(21211, `The 'To' number ${given.slice(0, 40)} is not a valid phone number.`)
  deliverText(context, { from, to, text })
  const sid = `SM${hex(32)}`
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${sid}`
  const at = new Date(context.now()).toUTCString().replace('GMT', '+0000')
  const message = {
    ...{ account_sid: accountSid, api_version: '2010-04-01', body: text },
    ...{ date_created: at, date_sent: null, date_updated: at, direction: 'outbound-api' },
    ...{ error_code: null, error_message: null, from, messaging_service_sid: null },
    ...{ num_media: '0', num_segments: String(segments(text)), price: null, price_unit: 'USD' },
    ...{ sid, status: 'queued', subresource_uris: { media: `${uri}/Media.json` }, to, uri: `${uri}.json` },
  }
  return json(201, message, form)
}

const form = { 'content-type': 'application/json' }

// One segment is 160 characters of the plain alphabet or 70 of any; what is longer loses a few of them in each.
function segments(text: string): number {
  const [one, part] = /^[\n\r -~]*$/.test(text) ? [160, 153] : [70, 67]
  return text.length <= one ? 1 : Math.ceil(text.length / part)
}

function refuse(code: number, message?: string, status?: number): SandboxReply {
  const [usual, text] = messages[code] ?? [400, 'The request was refused']
  const moreInfo = `https://www.twilio.com/docs/errors/${code}`
  const body = { code, message: message ?? text, more_info: moreInfo, status: status ?? usual }
  return json(status ?? usual, body, form)
}

function errorReply(status: number, code?: string): SandboxReply {
  const usual = Object.entries(messages).find(([, [of]]) => of === status)?.[0] ?? '20500'
  return refuse(Number(code ?? usual), undefined, status)
}

function hex(length: number): string {
  return randomBytes(length).toString('hex').slice(0, length)
}

import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { normalPhone } from '../../users/phone-number.js'
import { header, json, type SandboxReply, type SandboxRequest } from '../http-message.js'
import type { RunningStandIn, StandInContext } from '../stand-in.js'
import { deliverText } from './inbox.js'

/** The stand-in of Clickatell's platform, as tests see it. */
export interface ClickatellSandbox {
  readonly url: string
  readonly apiKey: string
}

const requestSchema = z.object({
  content: z.string().min(1).max(5000),
  to: z.array(z.string().max(40)).min(1).max(200),
})

/** Starts it: `POST /messages`, version 1; texts arrive on the phone, without a sender. */
export async function startClickatell(context: StandInContext): Promise<RunningStandIn<ClickatellSandbox>> {
  const apiKey = `sandbox${randomBytes(13).toString('hex')}`
  const handler = async (request: SandboxRequest): Promise<SandboxReply> => {
    if (request.path !== '/messages') return refuse(404, 'Not found')
    if (request.method !== 'POST') return refuse(405, 'Method not allowed')
    // The bare key: one behind a scheme is another text.
    if (header(request, 'authorization') !== apiKey) return refuse(401, 'Invalid or missing integration API key')
    if (header(request, 'x-version') !== '1') return refuse(400, 'Unknown version')
    const body = requestSchema.safeParse(parse((await request.body())?.toString('utf8') ?? ''))
    if (!body.success) return refuse(400, 'Malformed request')
    const { content, to } = body.data
    return json(202, { messages: to.map((number) => send(context, number, content)) })
  }
  const { url } = await context.listen({ handler, errorReply: (status) => refuse(status, 'The sandbox was told so') })
  const handle = { url, apiKey }
  return { handle, describe: () => ({ ...handle }) }
}

function send(context: StandInContext, number: string, text: string): object {
  const to = normalPhone(number)
  const digits = number.replace(/^\+/, '')
  if (to === undefined) {
    const error = { errorCode: 652, error: 'Invalid destination address', errorDescription: 'The number is not valid.' }
    return { apiMessageId: null, accepted: false, to: digits, ...error }
  }
  deliverText(context, { to, text })
  const none = { errorCode: null, error: null, errorDescription: null }
  return { apiMessageId: randomBytes(16).toString('hex'), accepted: true, to: digits, ...none }
}

function refuse(status: number, error: string): SandboxReply {
  return json(status, { messages: [], error })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

import { z } from 'zod'
import { LIMITS } from '../../providers/passbyme/wire.js'
import { json, type SandboxReply } from '../http-message.js'
import { Router } from '../router.js'
import type { Directory } from './directory.js'
import { addAuthentication } from './authentication-api.js'
import { sessionInfo, type Message, type Messages } from './messages.js'
import { decode, malformed, notFound, readBody, serviceError } from './replies.js'

/** Ways in which the service may answer otherwise than usual. Change them at any time. */
export interface PassByMeQuirks {
  /** What becomes of an id that nobody has. Default `reject`: nothing is sent. */
  unknownRecipient: 'reject' | 'failed'
  /** Answered instead of every recipient's status. Default: nothing. */
  statusWord: string | undefined
  /** Changes the answer to send, track and cancel before it goes out. Default: nothing. */
  change: ((sessionInfo: object) => object) | undefined
}

const points = (limit: number) => z.string().refine((value) => Array.from(value).length <= limit)

const sendSchema = z.object({
  recipients: z.array(z.string().min(1)).min(1).max(1000),
  subject: points(LIMITS.subject).nullish().transform(orNull),
  body: points(LIMITS.body).nullish().transform(orNull),
  availability: z.int().min(1).max(31_536_000),
  type: z.enum(['authorization', 'message', 'esign']),
  callbackUrl: z.string().max(LIMITS.callbackUrl).refine(isCallbackUrl).nullish().transform(orNull),
})

/** The routes under `/frontend`, for the application that the certificate names. */
export function messagingApi(
  messages: Messages,
  directory: Directory,
  quirks: PassByMeQuirks,
  owner: () => string,
): Router {
  const answer = (message: Message): SandboxReply => json(200, quirked(sessionInfo(message), quirks))
  const asker = () => ({ application: owner(), api: 'messages' }) as const
  const router = new Router()
  addAuthentication(router, messages, directory, owner)
  return router
    .add('POST', '/frontend/messages', async (request) => {
      const body = await readBody(request, sendSchema)
      if (!body) return malformed
      const recipients = [...new Set(body.recipients)]
      const isUnknown = recipients.some((userId) => !directory.byAlias(userId))
      if (isUnknown && quirks.unknownRecipient === 'reject') return notFound
      return answer(messages.send(asker(), { ...body, recipients }, (userId) => directory.byAlias(userId)))
    })
    .add('GET', '/frontend/messages/:id', (_request, { id }) => {
      const message = messages.find(asker(), decode(id))
      return message ? answer(message) : notFound
    })
    .add('DELETE', '/frontend/messages/:id', (_request, { id }) => {
      const message = messages.find(asker(), decode(id))
      if (!message) return notFound
      return messages.cancel(message) ? answer(message) : serviceError('ALREADY_COMPLETED')
    })
}

function quirked(info: object, { statusWord, change }: PassByMeQuirks): object {
  const recipients: unknown = Reflect.get(info, 'recipients')
  const worded =
    statusWord === undefined || !Array.isArray(recipients)
      ? info
      : { ...info, recipients: recipients.map((entry: object) => ({ ...entry, status: statusWord })) }
  return change ? change(worded) : worded
}

function isCallbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (username || password) return false
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

/** Whether a host name is this machine. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}

function orNull(value: string | null | undefined): string | null {
  return value ?? null
}

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { Approvals } from '../approval/approvals-types.js'
import { loggerOption, objectWith, parseOptions } from '../options.js'
import { silentLogger, type Logger } from '../runtime.js'
import type { CallbackHandler } from './one-touch-callback.js'

/** What {@link passByMeCallback} takes. */
export interface PassByMeCallbackOptions {
  readonly approvals: Pick<Approvals, 'nudge'>
  /** An unguessable word, 16 characters or more of `A-Z a-z 0-9 _ -`: the last part of the path of `callbackUrl`. */
  readonly secret: string
  /** The channel's name. Default `passbyme`. */
  readonly channel?: string | undefined
  readonly logger?: Logger | undefined
}

const optionsSchema = z.strictObject({
  approvals: objectWith<Pick<Approvals, 'nudge'>>(['nudge'], 'give what createApprovals made'),
  secret: z.string().regex(/^[A-Za-z0-9_-]{16,200}$/, 'give 16 or more random characters of A-Z a-z 0-9 _ -'),
  channel: z.string().min(1).default('passbyme'),
  logger: loggerOption,
})

const MAX_BYTES = 65_536
const LIMIT_MS = 5_000
const bodySchema = z.object({ messageId: z.string().min(1).max(512) })

/**
 * Receives PassBy[ME]'s callback. Nobody signs it, so it is a hint and nothing else: what it says of statuses is not
 * read, and the service is asked with our own certificate instead, at most once a second a message.
 *
 * Answers 204 at once, 403 without the secret, 400 for a body that names no message, 405 for anything but POST.
 *
 * @throws InvalidOptionError
 *
 * @example
 * const channel = passByMeChannel(client, { callbackUrl: `https://app.example.com/passbyme/${secret}` })
 * app.use('/passbyme', passByMeCallback({ approvals, secret }))
 */
export function passByMeCallback(options: PassByMeCallbackOptions): CallbackHandler {
  const { approvals, secret, channel, logger = silentLogger } = parseOptions(optionsSchema, options, 'passByMeCallback')

  async function statusFor(req: IncomingMessage): Promise<number> {
    if (req.method !== 'POST') return 405
    if (!isSecret(req.url ?? '', secret)) return 403
    const body = bodySchema.safeParse(await readJson(req)).data
    if (!body) return 400
    // Not waited for: the sender gives us five seconds, and the provider may take longer.
    approvals.nudge({ channel, reference: body.messageId }).catch((error: unknown) => {
      logger.error({ channel, error }, 'a hint could not be followed; the poller goes on')
    })
    return 204
  }

  return function passByMeCallbackHandler(req, res) {
    statusFor(req).then(
      (status) => answer(res, status),
      () => answer(res, 400),
    )
  }
}

function isSecret(url: string, secret: string): boolean {
  const given = url.split(/[?#]/)[0]?.split('/').at(-1) ?? ''
  return timingSafeEqual(digest(given), digest(secret))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

async function readJson(req: IncomingMessage): Promise<unknown> {
  // Nothing is signed, so a body that a parser has read is as good.
  const parsed: unknown = Reflect.get(req, 'body')
  if (typeof parsed === 'object' && parsed !== null && req.readableEnded) return parsed
  const timer = setTimeout(() => req.destroy(), LIMIT_MS)
  try {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of req) {
      const bytes = Buffer.from(chunk as Uint8Array)
      size += bytes.length
      if (size > MAX_BYTES) return undefined
      chunks.push(bytes)
    }
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    return value
  } finally {
    clearTimeout(timer)
  }
}

function answer(res: ServerResponse, status: number): void {
  if (res.headersSent || res.destroyed) return
  // What is left of a body that is too large is not waited for.
  res.writeHead(status, status === 204 ? {} : { connection: 'close', 'content-length': '0' })
  res.end()
}

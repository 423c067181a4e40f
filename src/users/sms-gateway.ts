import { z } from 'zod'
import { ApprovalError } from '../errors.js'
import { loggerOption, objectWith, parseOptions } from '../options.js'
import { silentLogger, type Logger } from '../runtime.js'
import { readBody } from './body.js'
import { credentialCheck, credentialOption, type GatewayCredential } from './credentials.js'
import { oneLine } from './one-line.js'
import { refusals, unavailable, type Answer } from './refusal.js'
import { createRouter, type Call, type ServiceHandler } from './routing.js'
import { isObject, member, stringMember, type Schema } from './schema.js'
import type { SmsOutcome, SmsSender } from './senders.js'

export interface SmsGatewayOptions {
  /** Delivers: {@link roundRobin} over gateways, or one gateway. */
  readonly sender: SmsSender
  readonly credential: GatewayCredential
  readonly logger?: Logger
}

const optionsSchema = z.strictObject({
  sender: objectWith<SmsSender>(['send'], 'give an object with the method send, such as roundRobin(...)'),
  credential: credentialOption,
  logger: loggerOption,
})

const text: Schema = { type: 'string' }

/** The body of `POST /sms/`. */
export const smsBody: Schema = {
  type: 'object',
  required: ['user_id', 'message', 'phone', 'from'],
  properties: {
    user_id: text,
    message: { ...text, maxLength: 918 },
    phone: { ...text, maxLength: 30 },
    from: { ...text, maxLength: 20 },
    retry: { type: 'boolean' },
  },
}

/**
 * The SMS gateway service: `POST /sms/`, answered with 201 and no body once a gateway took the message, 400
 * `InvalidPhone` for a number that can't be, 503 when no gateway took it. Mount it at any path.
 */
export function smsGateway(options: SmsGatewayOptions): ServiceHandler {
  const { sender, credential, logger = silentLogger } = parseOptions(optionsSchema, options, 'smsGateway')
  const handle = async ({ req }: Call): Promise<Answer> => {
    const { value } = await readBody(req, smsBody, 65_536)
    const body = isObject(value) ? value : {}
    const textOf = (name: string): string => stringMember(body, name)
    const retry = member(body, 'retry') === true
    const message = { from: textOf('from'), to: textOf('phone'), text: textOf('message'), retry }
    const outcome = await sender.send(message).catch(failure)
    if (outcome.status === 'sent') return { status: 201 }
    if (outcome.status === 'invalid-number') {
      throw refusals.invalidPhone(oneLine(outcome.description, 'The number is not valid'))
    }
    logger.error({ reason: outcome.reason }, 'a text message could not be sent')
    throw unavailable('The message could not be sent', 30)
  }
  const before = credentialCheck(credential)
  return createRouter([{ method: 'POST', path: '/sms/', handle }], { logger, redirectMissingSlash: false, before })
}

// A store that does not answer is told as such; any other error is a sender that breaks its promise not to throw.
function failure(error: unknown): SmsOutcome {
  if (error instanceof ApprovalError) throw error
  return { status: 'failed', reason: error instanceof Error ? error.name : 'unknown' }
}

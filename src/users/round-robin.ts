import { z } from 'zod'
import { functionOption, objectWith, parseOptions } from '../options.js'
import { GatewayRing, namespaceOption, ringOptions, type RingOptions, type Tried } from './gateway-ring.js'
import type { SmsMessage, SmsOutcome, SmsSender } from './senders.js'

/** One try of one gateway, for the record. The number is digested and the text is not there. */
export interface SmsAttempt {
  readonly gateway: string
  readonly outcome: SmsOutcome['status']
  readonly at: Date
  /** SHA-256 of the number, base64url. */
  readonly phoneDigest: string
}

export interface RoundRobinOptions extends RingOptions {
  /** In this order; each needs a name of its own. */
  readonly gateways: readonly SmsSender[]
  readonly onAttempt?: (attempt: SmsAttempt) => void
  /** Sets the keys in the state store apart. Default `sms`. */
  readonly namespace?: string
}

const optionsSchema = z.strictObject({
  gateways: z.array(objectWith<SmsSender>(['send'], 'give an object with the method send')).min(1),
  ...ringOptions,
  onAttempt: functionOption<(attempt: SmsAttempt) => void>().optional(),
  namespace: namespaceOption('sms'),
})

/**
 * Sends texts through several gateways in turn. A number keeps its gateway; a resend (`retry`) takes the next one in the
 * ring. A gateway that fails hands the message on to the next, each at most once; a number that a gateway calls invalid is
 * invalid for all. One that fails again and again rests, and is probed with one message when the rest is over. A rest
 * skips a gateway, unless no other takes the message; it never changes the order.
 */
export function roundRobin(options: RoundRobinOptions): SmsSender {
  const { gateways, onAttempt, ...settings } = parseOptions(optionsSchema, options, 'roundRobin')
  const ring = new GatewayRing<SmsMessage, SmsOutcome>({
    ...settings,
    runtime: settings.runtime,
    logger: settings.logger,
    members: gateways.map((gateway) => ({ name: gateway.name, attempt: (message) => attempt(gateway, message) })),
    onAttempt: ({ gateway, outcome, at }, phoneDigest) =>
      onAttempt?.({ gateway, outcome: statusOf(outcome), at: new Date(at), phoneDigest }),
  })
  return {
    name: 'round-robin',
    async send(message) {
      const tried = await ring.send({ message, subject: message.to, isResend: () => message.retry })
      const last = tried.at(-1)
      if (last?.verdict === 'done') return last.outcome
      return { status: 'failed', reason: 'no gateway took the message' }
    },
  }
}

async function attempt(gateway: SmsSender, message: SmsMessage): Promise<Tried<SmsOutcome>> {
  const outcome = { ...(await outcomeOf(gateway, message)), gateway: gateway.name }
  if (outcome.status !== 'failed') return { verdict: 'done', outcome, word: outcome.status }
  return { verdict: 'failed', outcome, word: outcome.status, reason: outcome.reason }
}

async function outcomeOf(gateway: SmsSender, message: SmsMessage): Promise<SmsOutcome> {
  try {
    return await gateway.send(message)
  } catch (error) {
    return { status: 'failed', reason: error instanceof Error ? error.name : 'unknown' }
  }
}

function statusOf(word: string): SmsOutcome['status'] {
  return word === 'sent' || word === 'invalid-number' ? word : 'failed'
}

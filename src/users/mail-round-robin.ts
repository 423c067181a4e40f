import { z } from 'zod'
import { ApprovalError, MailRefusedError, ProviderUnreachableError } from '../errors.js'
import { functionOption, objectWith, parseOptions } from '../options.js'
import { resolveRuntime } from '../runtime.js'
import { GatewayRing, namespaceOption, ringOptions, type RingOptions, type Tried } from './gateway-ring.js'
import { within } from './mail-delivery.js'
import type { MailSender, TemplateMail } from './senders.js'

/** One try of one gateway, for the record. The address is digested; subject, text and links are not there. */
export interface MailAttempt {
  readonly gateway: string
  /** `refused`: this mail, not the gateway, is what was wrong. */
  readonly outcome: 'sent' | 'refused' | 'failed'
  readonly at: Date
  /** The mail's template. */
  readonly template: string
  /** SHA-256 of the address in lower case and the template as a JSON list, base64url. */
  readonly addressDigest: string
}

export interface MailRoundRobinOptions extends RingOptions {
  /** In this order; each needs a name of its own. */
  readonly gateways: readonly { readonly name: string; readonly sender: MailSender }[]
  /** A further mail of one kind to one address within this time is a resend and takes the next gateway. Default 900. */
  readonly resendSeconds?: number
  /** How long one gateway may take before the next gets the mail (which may then arrive twice). Default 10,000. */
  readonly timeoutMs?: number
  readonly onAttempt?: (attempt: MailAttempt) => void
  /** Sets the keys in the state store apart. Default `mail-ring`. */
  readonly namespace?: string
}

const optionsSchema = z.strictObject({
  gateways: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(64),
        sender: objectWith<MailSender>(
          ['send'],
          'give an object with the method send, such as templateMailSender(...)',
        ),
      }),
    )
    .min(1),
  ...ringOptions,
  resendSeconds: z.int().min(0).max(86_400).default(900),
  timeoutMs: z.int().min(1).max(600_000).default(10_000),
  onAttempt: functionOption<(attempt: MailAttempt) => void>().optional(),
  namespace: namespaceOption('mail-ring'),
})

/**
 * Sends mails through several gateways in turn, as {@link roundRobin} does with texts: an address keeps its gateway; a
 * mail that is asked for again takes the next one; a gateway that fails or is too slow hands the mail on, rests after some
 * failures in a row, and is probed. What a gateway refuses because of the mail itself ({@link MailRefusedError}) the next
 * one tries too, and no gateway rests for it: else strangers could silence one with addresses that don't exist.
 *
 * `send` rejects with `ProviderUnreachableError` when no gateway took the mail, and with `MailRefusedError` when all
 * refused it.
 *
 * @example
 * mailRoundRobin({
 *   gateways: [
 *     { name: 'smtp', sender: templateMailSender(nodemailerTransport(createTransport('smtps://smtp.example.com'))) },
 *     { name: 'service', sender: affoMailSender({ rootUrl: 'https://mail.example.com/api/v1.0/' }) },
 *   ],
 *   state,
 * })
 */
export function mailRoundRobin(options: MailRoundRobinOptions): MailSender {
  const { gateways, resendSeconds, timeoutMs, onAttempt, ...settings } = parseOptions(
    optionsSchema,
    options,
    'mailRoundRobin',
  )
  const runtime = resolveRuntime(settings.runtime)
  const ring = new GatewayRing<TemplateMail, undefined>({
    ...settings,
    runtime: settings.runtime,
    logger: settings.logger,
    members: gateways.map(({ name, sender }) => ({
      name,
      attempt: (mail) => attempt(within(runtime, timeoutMs, name, () => sender.send(mail))),
    })),
    onAttempt: ({ gateway, outcome, at }, addressDigest, { template }) =>
      onAttempt?.({ gateway, outcome: wordOf(outcome), at: new Date(at), template, addressDigest }),
  })
  const isResend = (last: { readonly at: number } | undefined): boolean =>
    last !== undefined && runtime.now() - last.at < resendSeconds * 1000
  return {
    async send(mail) {
      const subject = JSON.stringify([mail.to.toLowerCase(), mail.template])
      const tried = await ring.send({ message: mail, subject, isResend })
      if (tried.at(-1)?.verdict === 'done') return
      if (tried.every(({ verdict }) => verdict === 'next'))
        throw new MailRefusedError('mail', 'every gateway refused it')
      throw new ProviderUnreachableError('mail', 'NO_GATEWAY')
    },
  }
}

async function attempt(sending: Promise<void>): Promise<Tried<undefined>> {
  try {
    await sending
    return { verdict: 'done', outcome: undefined, word: 'sent' }
  } catch (error) {
    const reason = reasonOf(error)
    if (error instanceof MailRefusedError) return { verdict: 'next', outcome: undefined, word: 'refused', reason }
    return { verdict: 'failed', outcome: undefined, word: 'failed', reason }
  }
}

// Mail servers repeat addresses in their texts; the log gets codes and names only.
function reasonOf(error: unknown): string {
  if (error instanceof ApprovalError) return error.message
  return error instanceof Error ? error.name : 'unknown'
}

function wordOf(word: string): MailAttempt['outcome'] {
  return word === 'sent' || word === 'refused' ? word : 'failed'
}

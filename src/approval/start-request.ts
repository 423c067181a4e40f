import { z } from 'zod'
import { InvalidInputError, InvalidOptionError } from '../errors.js'
import type { StartRequest } from './approvals-types.js'
import { bindingOf } from './canonical-json.js'
import type { ApprovalChannel, ProofKind, Recipient } from './channel.js'
import type { ApprovalPolicy } from './heart.js'
import type { JsonObject } from './json.js'
import { checkPromptText, promptText } from './prompt-text.js'

const idText = z.string().min(1).max(256)
const recipient = z.strictObject({ subject: idText, reference: idText })

const shape = z.strictObject({
  channel: z.union([z.string(), z.custom<ApprovalChannel>((value) => typeof value === 'object' && value !== null)]),
  subject: idText,
  reference: idText.optional(),
  recipients: z.array(recipient).min(1).max(20).optional(),
  purpose: z.string().regex(/^[a-z0-9][a-z0-9._:-]{0,63}$/),
  bound: z
    .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
    .optional(),
  message: z.string(),
  details: z.record(z.string().min(1).max(40), z.string()).optional(),
  rule: z.union([z.enum(['any', 'all']), z.strictObject({ atLeast: z.int().min(1).max(20) })]).optional(),
  vetoes: z.boolean().optional(),
  allowSelf: z.boolean().optional(),
  ttlSeconds: z.int().min(30).max(600).optional(),
  previous: z.object({ id: z.string().max(64), secret: z.string().max(128) }).optional(),
})

/** A start request after every check that needs no network. */
export interface CheckedStart {
  readonly channel: ApprovalChannel
  readonly subject: string
  readonly recipients: readonly Recipient[]
  /** The requester's own id at the provider, when somebody else is asked too. */
  readonly requesterReference: string | undefined
  readonly allowSelf: boolean
  readonly purpose: string
  readonly bound: JsonObject
  readonly binding: string
  readonly message: string
  readonly details: Readonly<Record<string, string>>
  readonly needed: number
  readonly vetoes: boolean
  readonly ttlSeconds: number
  readonly previous: StartRequest['previous']
  readonly signal: AbortSignal
}

const strength: Readonly<Record<ProofKind, number>> = { approve: 0, compare: 1, transfer: 2 }

/** @throws InvalidInputError naming the field that is wrong; InvalidOptionError when the channel isn't one of ours. */
export function checkStart(
  request: StartRequest,
  channels: ReadonlyMap<string, ApprovalChannel>,
  policy: ApprovalPolicy,
  signal: AbortSignal,
): CheckedStart {
  const parsed = shape.safeParse(request)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const field = issue?.path.map(String).join('.') ?? 'request'
    throw new InvalidInputError(field, `start: ${field || 'the request'} is wrong: ${issue?.message ?? 'unknown'}`)
  }
  const { data } = parsed
  const channel = channelOf(data.channel, channels)
  if (strength[channel.proof] < strength[policy.proof]) {
    throw new InvalidOptionError(
      'channel',
      `the policy demands proof '${policy.proof}'; channel '${channel.name}' gives '${channel.proof}'`,
    )
  }
  const recipients = data.recipients ?? ownRecipient(data.subject, data.reference)
  checkRecipients(recipients, data.subject, data.purpose, data.allowSelf ?? false)
  const bound = data.bound ?? {}
  return {
    channel,
    subject: data.subject,
    recipients,
    requesterReference: data.recipients ? data.reference : undefined,
    allowSelf: data.allowSelf ?? false,
    purpose: data.purpose,
    bound,
    binding: bindingOf(data.purpose, data.subject, bound),
    message: checkPromptText('message', data.message, 200),
    details: cleanDetails(data.details ?? {}),
    needed: neededOf(data.rule ?? 'all', recipients.length),
    vetoes: data.vetoes ?? false,
    ttlSeconds: Math.min(data.ttlSeconds ?? policy.ttlSeconds, channel.maxTtlSeconds ?? 600),
    previous: data.previous,
    signal,
  }
}

function channelOf(channel: string | ApprovalChannel, channels: ReadonlyMap<string, ApprovalChannel>): ApprovalChannel {
  const name = typeof channel === 'string' ? channel : channel.name
  const found = channels.get(name)
  if (found && (typeof channel === 'string' || channel === found)) return found
  throw new InvalidOptionError('channel', `'${name}' is not among the channels given to createApprovals`)
}

function ownRecipient(subject: string, reference: string | undefined): readonly Recipient[] {
  if (reference !== undefined) return [{ subject, reference }]
  throw new InvalidInputError('reference', "give reference (the subject's id at the provider) or recipients")
}

function checkRecipients(recipients: readonly Recipient[], subject: string, purpose: string, allowSelf: boolean): void {
  const isDistinct = (of: (recipient: Recipient) => string): boolean =>
    new Set(recipients.map(of)).size === recipients.length
  if (!isDistinct(({ subject: own }) => own) || !isDistinct(({ reference }) => reference)) {
    throw new InvalidInputError('recipients', 'the recipients must be distinct people')
  }
  const asksSelf = recipients.some((entry) => entry.subject === subject)
  if ((purpose === 'login' || purpose === 'step-up') && !(asksSelf && recipients.length === 1)) {
    throw new InvalidInputError('recipients', `for purpose '${purpose}' the one who is asked is the subject`)
  }
  if (recipients.length > 1 && asksSelf && !allowSelf) {
    throw new InvalidInputError('recipients', 'the requester is among the recipients; see allowSelf')
  }
}

function neededOf(rule: NonNullable<StartRequest['rule']>, count: number): number {
  const needed = rule === 'any' ? 1 : rule === 'all' ? count : rule.atLeast
  if (needed <= count) return needed
  throw new InvalidInputError('rule', `the rule asks for ${needed} approvals of ${count} recipients`)
}

function cleanDetails(details: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(details).map(
    ([name, value]) => [promptText(name, 40), promptText(value, 200)] as const,
  )
  return Object.fromEntries(entries.filter(([name, value]) => name !== '' && value !== ''))
}

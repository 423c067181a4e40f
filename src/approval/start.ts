import { createHash, timingSafeEqual } from 'node:crypto'
import {
  InvalidInputError,
  ProviderRateLimitedError,
  ProviderRejectedError,
  ProviderUnreachableError,
} from '../errors.js'
import type { StartRequest } from './approvals-types.js'
import type { ApprovalChannel, ChannelRequest, Recipient } from './channel.js'
import { approvalQueue, finish } from './ending.js'
import type { Heart } from './heart.js'
import { isOpen, startDeadlineMs, type ApprovalRecord, type Ask } from './life.js'
import type { CheckedStart } from './start-request.js'

const defaultPollIntervalMs = 2_000

/** The digest under which a session's secret is stored. */
export function secretDigest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/** True when the secret is the one that the approval was started with. Constant time. */
export function isSecretOf(record: ApprovalRecord, secret: string): boolean {
  return timingSafeEqual(Buffer.from(secretDigest(secret)), Buffer.from(record.secretDigest))
}

/** An approval of this session that is still open for the very same thing, so that no second push is needed. */
export async function reusable(
  heart: Heart,
  previous: StartRequest['previous'],
  checked: CheckedStart,
): Promise<{ record: ApprovalRecord; same: boolean } | undefined> {
  if (!previous) return undefined
  const record = await heart.records.read(previous.id)
  if (!record || !isOpen(record) || !isSecretOf(record, previous.secret)) return undefined
  const same =
    record.channel === checked.channel.name &&
    record.binding === checked.binding &&
    record.message === checked.message &&
    sameRecipients(record.recipients, checked.recipients)
  return { record, same }
}

function sameRecipients(a: readonly Recipient[], b: readonly Recipient[]): boolean {
  const references = new Set(a.map((recipient) => recipient.reference))
  return a.length === b.length && b.every((recipient) => references.has(recipient.reference))
}

/** Refuses recipients who are one person under two ids, or the requester under another. Asks the provider where it can tell. */
export async function checkDistinctPeople(checked: CheckedStart, signal: AbortSignal): Promise<void> {
  const { channel, recipients, requesterReference } = checked
  const identify = channel.identify?.bind(channel)
  if (!identify || (recipients.length === 1 && requesterReference === undefined)) return
  const people = await Promise.all(recipients.map(({ reference }) => identify(reference, { signal })))
  if (new Set(people).size < people.length) {
    throw new InvalidInputError('recipients', 'two of the recipients are one person at the provider')
  }
  if (requesterReference === undefined || checked.allowSelf) return
  if (people.includes(await identify(requesterReference, { signal }))) {
    throw new InvalidInputError('recipients', 'the requester is among the recipients under another id; see allowSelf')
  }
}

/** Takes the slot of every recipient, or of none. @throws ApprovalLimitedError */
export async function acquireSlots(heart: Heart, record: ApprovalRecord): Promise<void> {
  const taken: Recipient[] = []
  try {
    for (const recipient of record.recipients) {
      const target = { channel: record.channel, reference: recipient.reference }
      const isOver = (id: string): Promise<boolean> => hasDecided(heart, id, recipient)
      await heart.limits.acquire(target, record.id, record.expiresAt, isOver)
      taken.push(recipient)
    }
  } catch (error) {
    for (const { reference } of taken) {
      await heart.limits.releaseSlot({ channel: record.channel, reference }, record.id)
    }
    throw error
  }
}

// A process that died after a decision left the slot behind. In all other cases the question may still be on the phone,
// or about to be, and the slot ends with its own time to live.
async function hasDecided(heart: Heart, id: string, recipient: Recipient): Promise<boolean> {
  const record = await heart.records.read(id)
  return record?.decisions.some((decision) => decision.reference === recipient.reference) ?? false
}

/**
 * Puts the question to the provider. The record is stored already: if this process dies now, the approval fails by
 * itself and is not repeated.
 */
export async function ask(heart: Heart, record: ApprovalRecord, checked: CheckedStart): Promise<ApprovalRecord> {
  const { channel } = checked
  const asks: Ask[] = []
  let expiresAt = record.expiresAt
  let code: string | undefined
  try {
    for (const recipients of groups(record.recipients, channel.maxRecipients ?? 1)) {
      const started = await channel.start(requestFor(record, checked, recipients), { signal: checked.signal })
      asks.push({ reference: started.reference, recipients, ...(started.state ? { state: started.state } : {}) })
      expiresAt = Math.min(expiresAt, started.expiresAt ?? expiresAt)
      code ??= started.code
    }
  } catch (error) {
    await failed(heart, record, asks, error)
    throw error
  }
  // First where a callback finds the approval, then the approval itself: a callback in between is told to come again.
  await heart.records.index({ ...record, asks })
  const event = { type: 'taken', asks, expiresAt, ...(code === undefined ? {} : { code }) } as const
  const result = await heart.records.change(record.id, event)
  if (!result) throw new InvalidInputError('approval', 'the approval was lost from the store while it was started')
  if (isOpen(result.record)) await scheduleFirstLook(heart, channel, record.id)
  // Cancelled, or out of time, while the provider took it: withdraw what it took.
  else await finish(heart, { ...result.record, asks })
  return result.record
}

async function scheduleFirstLook(heart: Heart, channel: ApprovalChannel, id: string): Promise<void> {
  const interval = channel.pollIntervalMs ?? defaultPollIntervalMs
  await heart.state.schedule(approvalQueue, id, heart.runtime.now() + interval)
}

/** Stores an approval that is about to be put to the provider. */
export async function store(heart: Heart, record: ApprovalRecord): Promise<void> {
  await heart.records.create(record)
  await heart.state.schedule(approvalQueue, record.id, record.startedAt + startDeadlineMs)
}

function requestFor(record: ApprovalRecord, checked: CheckedStart, recipients: readonly Recipient[]): ChannelRequest {
  return {
    approvalId: record.id,
    message: record.message,
    details: checked.details,
    recipients,
    expiresAt: record.expiresAt,
  }
}

async function failed(heart: Heart, record: ApprovalRecord, asks: readonly Ask[], error: unknown): Promise<void> {
  const result = await heart.records.change(record.id, { type: 'start-failed', asks })
  if (result) await finish(heart, { ...result.record, asks })
  // A provider that said no has pushed nothing: the recipient is free. After anything else a push may be on the phone.
  if (!pushedNothing(error)) return
  const asked = new Set(asks.flatMap((entry) => entry.recipients.map((recipient) => recipient.reference)))
  for (const { reference } of record.recipients) {
    if (!asked.has(reference)) await heart.limits.releaseSlot({ channel: record.channel, reference }, record.id)
  }
}

function pushedNothing(error: unknown): boolean {
  if (error instanceof ProviderUnreachableError)
    return /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|CIRCUIT_OPEN)$/.test(error.reason)
  return (
    error instanceof ProviderRateLimitedError ||
    error instanceof InvalidInputError ||
    (error instanceof ProviderRejectedError && error.status < 500)
  )
}

function groups(recipients: readonly Recipient[], size: number): (readonly Recipient[])[] {
  const count = Math.ceil(recipients.length / size)
  return Array.from({ length: count }, (_, index) => recipients.slice(index * size, (index + 1) * size))
}

import { ProviderRateLimitedError } from '../errors.js'
import { approvalQueue, finish } from './ending.js'
import type { ChannelAnswer } from './channel.js'
import { callSignal, handleOf, leaseMs, type Heart } from './heart.js'
import { isOpen, startDeadlineMs, type ApprovalRecord } from './life.js'

const defaultIntervalMs = 2_000
const slowestIntervalMs = 15_000
const lastLookMs = 1_000

/**
 * Looks after one approval if that is due and nobody else does so: in the whole cluster one claim succeeds, whoever asks
 * and however many wait. Returns when the next look is due (milliseconds since the epoch), or undefined if it was not ours.
 */
export async function lookAfter(heart: Heart, id: string): Promise<number | undefined> {
  const claimed = await heart.state.claim(approvalQueue, { leaseMs, limit: 1, member: id })
  return claimed.length === 0 ? undefined : lookAfterClaimed(heart, id)
}

/** The same for an approval that the caller has claimed already. */
export async function lookAfterClaimed(heart: Heart, id: string): Promise<number> {
  const record = (await heart.records.change(id, { type: 'tick' }))?.record
  if (!record) {
    await heart.state.unschedule(approvalQueue, id)
    return Infinity
  }
  if (record.status === 'starting') return again(heart, record, record.startedAt + startDeadlineMs)
  if (record.status === 'pending') return poll(heart, record)
  await finish(heart, record)
  return Infinity
}

async function poll(heart: Heart, record: ApprovalRecord): Promise<number> {
  const channel = heart.channels.get(record.channel)
  if (!channel) {
    heart.logger.error(
      { channel: record.channel, approval: record.id },
      'an approval is pending on a channel that is not configured',
    )
    return again(heart, record, record.expiresAt)
  }
  const signal = callSignal()
  const answers = await Promise.allSettled(record.asks.map((ask) => channel.check(handleOf(ask), { signal })))
  let retryAfterMs = 0
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'rejected') {
      const { reason } = answer as { reason: unknown }
      heart.logger.error(
        { channel: channel.name, approval: record.id, error: reason },
        'the provider could not be asked',
      )
      if (channel.isFinal?.(reason) === true) {
        const after = await fail(heart, record, index)
        if (after && !isOpen(after)) return Infinity
      }
      if (reason instanceof ProviderRateLimitedError) retryAfterMs = Math.max(retryAfterMs, reason.retryAfterMs ?? 0)
      continue
    }
    const asked = new Set(record.asks[index]?.recipients.map((recipient) => recipient.reference))
    const after = await applyAnswer(heart, record, answer.value, asked)
    if (after && !isOpen(after)) return Infinity
  }
  const interval = nextInterval(heart, record, channel.pollIntervalMs ?? defaultIntervalMs)
  // A provider that asked for peace gets it, even if that is until the end.
  const lastLook = retryAfterMs > interval ? record.expiresAt : record.expiresAt - lastLookMs
  return again(heart, record, heart.runtime.now() + Math.max(interval, retryAfterMs), lastLook)
}

/** Nothing more can be learned of a question: whoever has not answered it has failed to. */
async function fail(heart: Heart, record: ApprovalRecord, index: number): Promise<ApprovalRecord | undefined> {
  const ask = record.asks[index]
  if (!ask) return record
  // It may still be on the phones, where answering it would do nothing.
  await heart.channels
    .get(record.channel)
    ?.cancel?.(handleOf(ask), { signal: callSignal() })
    .catch(() => undefined)
  const references = ask.recipients.map(({ reference }) => reference)
  const decisions = references.map((reference) => ({ reference, status: 'failed' as const }))
  return applyAnswer(heart, record, { decisions }, new Set(references))
}

/** Applies a provider's answer, and finishes the approval if that ended it. */
export async function applyAnswer(
  heart: Heart,
  record: ApprovalRecord,
  answer: ChannelAnswer,
  asked: ReadonlySet<string>,
): Promise<ApprovalRecord | undefined> {
  const decisions = answer.decisions.flatMap(({ reference, status, decidedAt }) => {
    if (status === 'pending' || !asked.has(reference)) return []
    // Who says "this was not me" approves nothing, whatever else the answer says.
    const meant = status === 'approved' && answer.reported === true ? 'denied' : status
    return [{ reference, status: meant, ...(decidedAt === undefined ? {} : { at: decidedAt }) }]
  })
  if (answer.reported === true) {
    for (const reference of asked) await heart.limits.lock({ channel: record.channel, reference })
  }
  if (decisions.length === 0) return record
  const result = await heart.records.change(record.id, { type: 'decided', decisions })
  if (result?.changed && !isOpen(result.record)) await finish(heart, result.record)
  return result?.record
}

// The provider's interval for the first half minute, then slower, with up to a fifth of jitter so that pollers spread.
function nextInterval(heart: Heart, record: ApprovalRecord, intervalMs: number): number {
  const elapsed = heart.runtime.now() - record.startedAt
  const slowed = Math.min(intervalMs * Math.max(1, elapsed / 30_000), Math.max(intervalMs, slowestIntervalMs))
  const [random = 0] = heart.runtime.randomBytes(1)
  return Math.round(slowed * (1 + random / 1280))
}

// One look shortly before the end, so that a late answer is not missed for the sake of the interval; then one at the end.
async function again(
  heart: Heart,
  record: ApprovalRecord,
  dueAt: number,
  lastLook = record.expiresAt,
): Promise<number> {
  const now = heart.runtime.now()
  const due = Math.min(dueAt, now < lastLook ? lastLook : record.expiresAt)
  await heart.state.schedule(approvalQueue, record.id, Math.max(due, now + 1))
  return due
}

import { callSignal, handleOf, type Heart } from './heart.js'
import { isOpen, redeemableUntil, type ApprovalRecord, type Ask } from './life.js'

/** The queue of approvals that need a look: a poll, or what is left to do after the end. */
export const approvalQueue = 'approvals'

const cancelRetryMs = 5_000

/**
 * Does what the end of an approval asks for: limits, slots, and withdrawing what is still open at the provider. May be done twice with
 * the effect of once. Only then does the approval leave the queue, so that a process that dies halfway is made up for.
 */
export async function finish(heart: Heart, record: ApprovalRecord): Promise<void> {
  for (const decision of record.decisions) {
    const target = { channel: record.channel, reference: decision.reference }
    if (decision.status === 'denied') await heart.limits.noteDenial(target, record.id)
    if (decision.status === 'approved' && record.status === 'approved') await heart.limits.noteApproval(target)
    await heart.limits.releaseSlot(target, record.id)
  }
  const outlives = heart.channels.get(record.channel)?.outlives === true
  if (outlives && record.status === 'approved') {
    // Whether it was redeemed shows then; if not, nobody else would end its session.
    await heart.state.schedule(approvalQueue, record.id, redeemableUntil(record) + 1)
    return
  }
  const withdrawn = record.status === 'expired' && !outlives ? true : await withdraw(heart, record)
  if (withdrawn) await heart.state.unschedule(approvalQueue, record.id)
  else await heart.state.schedule(approvalQueue, record.id, heart.runtime.now() + cancelRetryMs)
}

/** True when nothing of it is left open at the provider, or nothing can be done about it. */
async function withdraw(heart: Heart, record: ApprovalRecord): Promise<boolean> {
  const channel = heart.channels.get(record.channel)
  const left = leftAtProvider(record, channel?.outlives === true)
  const isGone = channel?.outlives !== true && heart.runtime.now() >= record.expiresAt
  // Without a way to cancel, the question stays on the phone and the slots stay taken until it expires there.
  if (!channel?.cancel || left.length === 0 || isGone) return true
  for (const ask of left) {
    try {
      await channel.cancel(handleOf(ask), { signal: callSignal() })
    } catch (error) {
      heart.logger.warn({ channel: channel.name, approval: record.id, error }, 'an approval could not be withdrawn yet')
      return false
    }
    for (const { reference } of ask.recipients) {
      await heart.limits.releaseSlot({ channel: record.channel, reference }, record.id)
    }
  }
  return true
}

function leftAtProvider(record: ApprovalRecord, outlives: boolean): readonly Ask[] {
  if (outlives && record.status === 'expired') return record.asks
  return record.asks.filter((ask) => ask.recipients.some((recipient) => !hasDecided(record, recipient.reference)))
}

function hasDecided(record: ApprovalRecord, reference: string): boolean {
  return record.decisions.some((decision) => decision.reference === reference)
}

/** Brings an approval up to the present, and finishes it if that ended it. */
export async function settleTime(heart: Heart, id: string): Promise<ApprovalRecord | undefined> {
  const result = await heart.records.change(id, { type: 'tick' })
  if (result?.changed && !isOpen(result.record)) await finish(heart, result.record)
  return result?.record
}

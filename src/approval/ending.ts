import { callSignal, handleOf, type Heart } from './heart.js'
import { isOpen, type ApprovalRecord, type Ask } from './life.js'

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
  const open = record.asks.filter((ask) => ask.recipients.some((recipient) => !hasDecided(record, recipient.reference)))
  const withdrawn = record.status === 'expired' || (await withdraw(heart, record, open))
  if (withdrawn) await heart.state.unschedule(approvalQueue, record.id)
  else await heart.state.schedule(approvalQueue, record.id, heart.runtime.now() + cancelRetryMs)
}

/** True when nothing of it is left open at the provider, or nothing can be done about it. */
async function withdraw(heart: Heart, record: ApprovalRecord, open: readonly Ask[]): Promise<boolean> {
  const channel = heart.channels.get(record.channel)
  // Without a way to cancel, the question stays on the phone and the slots stay taken until it expires there.
  if (!channel?.cancel || open.length === 0 || heart.runtime.now() >= record.expiresAt) return true
  for (const ask of open) {
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

function hasDecided(record: ApprovalRecord, reference: string): boolean {
  return record.decisions.some((decision) => decision.reference === reference)
}

/** Brings an approval up to the present, and finishes it if that ended it. */
export async function settleTime(heart: Heart, id: string): Promise<ApprovalRecord | undefined> {
  const result = await heart.records.change(id, { type: 'tick' })
  if (result?.changed && !isOpen(result.record)) await finish(heart, result.record)
  return result?.record
}

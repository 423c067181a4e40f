import { approvalQueue } from './ending.js'
import { leaseMs, type Heart } from './heart.js'
import { releaseQueue, type Outbox } from './outbox.js'
import { lookAfterClaimed } from './poller.js'

const idleMs = 1_000
const batch = 16

/**
 * Background work until the signal is aborted: approvals that nobody waits for, remote sign-outs, what a process that
 * died left behind. Any number of processes may do this; each piece of work is claimed by one.
 */
export async function runBackground(heart: Heart, outbox: Outbox, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const done = await workOnce(heart, outbox)
    if (done < batch) await heart.runtime.sleep(idleMs, signal).catch(() => undefined)
  }
}

async function workOnce(heart: Heart, outbox: Outbox): Promise<number> {
  try {
    const approvals = await heart.state.claim(approvalQueue, { leaseMs, limit: batch })
    const releases = await heart.state.claim(releaseQueue, { leaseMs, limit: batch })
    const outcomes = await Promise.allSettled([
      ...approvals.map((id) => lookAfterClaimed(heart, id)),
      ...releases.map((id) => outbox.attemptClaimed(id)),
    ])
    for (const outcome of outcomes) {
      // Claimed work that failed comes back when its lease ends.
      if (outcome.status === 'rejected') logFailure(heart, outcome.reason)
    }
    return approvals.length + releases.length
  } catch (error) {
    logFailure(heart, error)
    return 0
  }
}

function logFailure(heart: Heart, error: unknown): void {
  heart.logger.error({ error }, 'background work failed; it is tried again')
}

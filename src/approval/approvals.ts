import { ApprovalNotFoundError, ApprovalNotRedeemableError } from '../errors.js'
import { parseOptions } from '../options.js'
import { resolveRuntime, silentLogger } from '../runtime.js'
import type {
  ApprovalHandle,
  Approvals,
  ApprovalView,
  RedeemedApproval,
  RedeemRequest,
  ReleaseHandle,
  Settlement,
  SettleResult,
  StartedApproval,
  StartRequest,
} from './approvals-types.js'
import { approvalsOptions, byName, type ApprovalsOptions } from './approvals-options.js'
import { ApprovalRecords } from './approval-records.js'
import { bindingOf } from './canonical-json.js'
import type { ApprovalChannel, CallOptions } from './channel.js'
import { approvalQueue, finish, settleTime } from './ending.js'
import type { Heart } from './heart.js'
import { isOpen, type ApprovalRecord } from './life.js'
import { Outbox } from './outbox.js'
import { applyAnswer, lookAfter } from './poller.js'
import { PushLimits } from './push-limits.js'
import { publishRefusal, redeemed, viewOf } from './views.js'
import { acquireSlots, ask, checkDistinctPeople, isSecretOf, reusable, secretDigest, store } from './start.js'
import { checkStart, type CheckedStart } from './start-request.js'
import { Watches } from './watches.js'
import { runBackground } from './background.js'

/**
 * Makes the one object that keeps the life of approvals, over all channels and all processes that share the store.
 * @throws InvalidOptionError
 */
export function createApprovals(options: ApprovalsOptions): Approvals {
  const { state, channels, policy, runtime, logger } = parseOptions(approvalsOptions, options, 'createApprovals')
  const resolved = resolveRuntime(runtime)
  return new ApprovalService({
    state,
    channels: byName(channels),
    policy,
    runtime: resolved,
    logger: logger ?? silentLogger,
    records: new ApprovalRecords(state, resolved.now),
    limits: new PushLimits(state, policy, resolved.now),
  })
}

class ApprovalService implements Approvals {
  readonly channels: ReadonlyMap<string, ApprovalChannel>
  readonly #heart: Heart
  readonly #watches: Watches
  readonly #outbox: Outbox

  constructor(heart: Heart) {
    this.channels = heart.channels
    this.#heart = heart
    this.#watches = new Watches(heart)
    this.#outbox = new Outbox(heart)
  }

  async start(request: StartRequest, call: CallOptions = {}): Promise<StartedApproval> {
    const heart = this.#heart
    const signal = call.signal ?? new AbortController().signal
    const checked = checkStart(request, heart.channels, heart.policy, signal)
    const before = await reusable(heart, checked.previous, checked)
    if (before?.same && checked.previous) {
      return { ...viewOf(before.record), secret: checked.previous.secret, reused: true }
    }
    await checkDistinctPeople(checked, signal)
    // Another thing is asked for: the older question must not be answered in its place.
    if (before && checked.previous) await this.cancel(checked.previous)
    const secret = this.#random(32)
    const record = this.#newRecord(checked, secret)
    try {
      await acquireSlots(heart, record)
    } catch (error) {
      publishRefusal(record, error, heart.runtime.now())
      throw error
    }
    await store(heart, record)
    return { ...viewOf(await ask(heart, record, checked)), secret, reused: false }
  }

  async status(handle: ApprovalHandle): Promise<ApprovalView> {
    return viewOf(await this.#own(handle))
  }

  async wait(handle: ApprovalHandle, options: CallOptions & { timeoutMs?: number } = {}): Promise<ApprovalView> {
    const { signal, timeoutMs = 25_000 } = options
    signal?.throwIfAborted()
    const record = await this.#own(handle)
    // A listener that is added to an aborted signal never hears of it.
    signal?.throwIfAborted()
    if (!isOpen(record)) return viewOf(record)
    const timer = new AbortController()
    const abort = (): void => {
      timer.abort()
    }
    let stop: (() => void) | undefined
    const ended = new Promise<void>((resolve) => {
      stop = this.#watches.add(record.id, () => {
        resolve()
      })
    })
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const timeout = this.#heart.runtime.sleep(timeoutMs, timer.signal).catch(() => undefined)
      await Promise.race([ended, timeout])
      signal?.throwIfAborted()
      return viewOf(await this.#own(handle))
    } finally {
      stop?.()
      timer.abort()
      signal?.removeEventListener('abort', abort)
    }
  }

  async redeem(request: RedeemRequest): Promise<RedeemedApproval> {
    const record = await this.#own(request)
    // First what it is good for, so that a wrong request doesn't use it up.
    if (record.binding !== bindingOf(request.purpose, request.subject, request.bound ?? {})) {
      throw new ApprovalNotRedeemableError('binding')
    }
    const result = await this.#heart.records.change(record.id, { type: 'redeem' })
    if (!result) throw new ApprovalNotFoundError()
    if (!result.changed || result.record.status !== 'redeemed') throw notRedeemable(result.record)
    const channel = this.channels.get(record.channel)
    if (channel?.outlives) await this.#forget(record.id)
    return redeemed(result.record, channel)
  }

  async cancel(handle: ApprovalHandle): Promise<ApprovalView> {
    const { id } = await this.#own(handle)
    const result = await this.#heart.records.change(id, { type: 'cancel' })
    if (!result) throw new ApprovalNotFoundError()
    if (result.changed && !isOpen(result.record)) await finish(this.#heart, result.record)
    return viewOf(result.record)
  }

  async settle(settlement: Settlement): Promise<SettleResult> {
    const { records } = this.#heart
    const { channel, reference, recipientReference, status, decidedAt, reported } = settlement
    const id = await records.idOfHandle(channel, reference)
    if (id === undefined) return this.#isStarting(settlement)
    const record = await settleTime(this.#heart, id)
    if (!record) return 'unknown'
    if (record.status === 'starting') return 'starting'
    const question = record.asks.find((entry) => entry.reference === reference)
    const asked = new Set(question?.recipients.map((recipient) => recipient.reference))
    if (record.channel !== channel || !asked.has(recipientReference)) return 'unknown'
    const isNew = isOpen(record) && !record.decisions.some((entry) => entry.reference === recipientReference)
    const decision = { reference: recipientReference, status, ...(decidedAt === undefined ? {} : { decidedAt }) }
    const answer = { decisions: [decision], ...(reported === undefined ? {} : { reported }) }
    await applyAnswer(this.#heart, record, answer, new Set([recipientReference]))
    return isNew ? 'settled' : 'unchanged'
  }

  async nudge(settlement: { readonly channel: string; readonly reference: string }): Promise<void> {
    const { state, records, runtime } = this.#heart
    const id = await records.idOfHandle(settlement.channel, settlement.reference)
    if (id === undefined) return
    const record = await records.read(id)
    if (record?.status !== 'pending') return
    // Anybody can send a hint: it must not become a way to make us hammer the provider.
    if (!(await state.putIfAbsent(`approval-nudge:${id}`, true, { ttlMs: 1_000 }))) return
    await state.schedule(approvalQueue, id, runtime.now())
    await lookAfter(this.#heart, id)
  }

  async release(handles: readonly ReleaseHandle[]): Promise<void> {
    for (const handle of handles) await this.#outbox.add(handle)
  }

  async lockPush(recipient: { readonly channel: string; readonly reference: string }): Promise<void> {
    await this.#heart.limits.lock(recipient)
  }

  async unlockPush(recipient: { readonly channel: string; readonly reference: string }): Promise<void> {
    await this.#heart.limits.unlock(recipient)
  }

  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await runBackground(this.#heart, this.#outbox, signal)
  }

  /** Nothing is left to look after. What was redeemed is, whether or not the store can do this. */
  async #forget(id: string): Promise<void> {
    try {
      await this.#heart.state.unschedule(approvalQueue, id)
    } catch (error) {
      this.#heart.logger.warn({ approval: id, error }, 'a redeemed approval is looked at once more')
    }
  }

  /** @throws ApprovalNotFoundError, alike for an unknown id and a wrong secret. */
  async #own(handle: ApprovalHandle): Promise<ApprovalRecord> {
    if (typeof handle.id !== 'string' || typeof handle.secret !== 'string') throw new ApprovalNotFoundError()
    const found = await this.#heart.records.read(handle.id.slice(0, 64))
    if (!found || !isSecretOf(found, handle.secret)) throw new ApprovalNotFoundError()
    const record = await settleTime(this.#heart, found.id)
    if (!record) throw new ApprovalNotFoundError()
    return record
  }

  async #isStarting(settlement: Settlement): Promise<SettleResult> {
    if (settlement.approvalId === undefined) return 'unknown'
    const record = await this.#heart.records.read(settlement.approvalId.slice(0, 64))
    return record?.status === 'starting' && record.channel === settlement.channel ? 'starting' : 'unknown'
  }

  #newRecord(checked: CheckedStart, secret: string): ApprovalRecord {
    const now = this.#heart.runtime.now()
    const { channel } = checked
    return {
      v: 1,
      id: this.#random(16),
      secretDigest: secretDigest(secret),
      channel: channel.name,
      factor: channel.factor,
      amr: channel.amr,
      proof: channel.proof,
      subject: checked.subject,
      purpose: checked.purpose,
      bound: checked.bound,
      binding: checked.binding,
      message: checked.message,
      recipients: checked.recipients,
      needed: checked.needed,
      vetoes: checked.vetoes,
      status: 'starting',
      asks: [],
      decisions: [],
      startedAt: now,
      expiresAt: now + checked.ttlSeconds * 1000,
    }
  }

  #random(bytes: number): string {
    return Buffer.from(this.#heart.runtime.randomBytes(bytes)).toString('base64url')
  }
}

function notRedeemable(record: ApprovalRecord): ApprovalNotRedeemableError {
  const { status } = record
  return new ApprovalNotRedeemableError(status === 'starting' || status === 'approved' ? 'pending' : status)
}

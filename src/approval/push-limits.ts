import { createHash } from 'node:crypto'
import { ApprovalLimitedError } from '../errors.js'
import type { JsonValue } from './json.js'
import type { StateStore } from './state-store.js'

/** How many pushes one recipient may get, over all sessions and addresses. */
export interface PushPolicy {
  /** Pushes between two approvals, each within a window. */
  readonly budget: readonly { readonly max: number; readonly windowSeconds: number }[]
  /** The pause after a denial: it doubles with each denial in a row. */
  readonly denialPause: { readonly firstSeconds: number; readonly maxSeconds: number }
}

/** One who is asked, over one channel. */
export interface PushTarget {
  readonly channel: string
  readonly reference: string
}

const lockMs = 400 * 86_400_000
const pauseMemoryMs = 86_400_000

/**
 * The rules against push fatigue, counted per recipient in the state store. One approval is pending for a recipient at a
 * time (the slot); a budget limits pushes between two approvals; a denial is followed by a growing pause; a recipient who
 * said "this was not me" gets no more. Codes are never limited here.
 */
export class PushLimits {
  readonly #state: StateStore
  readonly #policy: PushPolicy
  readonly #now: () => number

  constructor(state: StateStore, policy: PushPolicy, now: () => number) {
    this.#state = state
    this.#policy = policy
    this.#now = now
  }

  /**
   * Takes the slot of a recipient for an approval, or throws. `isOver` tells whether the approval that holds the slot
   * has ended, for slots that were left behind.
   * @throws ApprovalLimitedError
   */
  async acquire(
    target: PushTarget,
    approvalId: string,
    expiresAt: number,
    isOver: (id: string) => Promise<boolean>,
  ): Promise<void> {
    if (await this.#state.get(key('lock', target))) throw new ApprovalLimitedError('locked')
    const pause = readPause((await this.#state.get(key('pause', target)))?.value)
    if (pause && pause.until > this.#now()) throw new ApprovalLimitedError('after-denial', this.#secondsTo(pause.until))
    await this.#takeSlot(target, approvalId, expiresAt, isOver)
    try {
      await this.#spend(target)
    } catch (error) {
      await this.releaseSlot(target, approvalId)
      throw error
    }
  }

  /** Frees the slot if this approval holds it. */
  async releaseSlot(target: PushTarget, approvalId: string): Promise<void> {
    const slot = await this.#state.get(key('slot', target))
    // Not a delete: between the read and it another approval could have taken the slot. Null is a free slot.
    if (slot?.value !== approvalId) return
    await this.#state.update(key('slot', target), slot.version, null, { ttlMs: 1 })
  }

  /** A denial: the next push has to wait. Counted once for each approval, however often it is told. */
  async noteDenial(target: PushTarget, approvalId: string): Promise<void> {
    const { firstSeconds, maxSeconds } = this.#policy.denialPause
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const found = await this.#state.get(key('pause', target))
      const last = readPause(found?.value)
      if (last?.approvalId === approvalId) return
      const denials = (last?.denials ?? 0) + 1
      const seconds = Math.min(firstSeconds * 2 ** (denials - 1), maxSeconds)
      const next = { denials, until: this.#now() + seconds * 1000, approvalId }
      const lifetime = { ttlMs: pauseMemoryMs }
      const written = found
        ? await this.#state.update(key('pause', target), found.version, next, lifetime)
        : await this.#state.putIfAbsent(key('pause', target), next, lifetime)
      if (written) return
    }
  }

  /** An approval: budget and pause start anew. */
  async noteApproval(target: PushTarget): Promise<void> {
    await this.#state.delete(key('pause', target))
    for (const { windowSeconds } of this.#policy.budget) await this.#state.delete(budgetKey(target, windowSeconds))
  }

  async lock(target: PushTarget): Promise<void> {
    await this.#state.put(key('lock', target), true, { ttlMs: lockMs })
  }

  async unlock(target: PushTarget): Promise<void> {
    await this.#state.delete(key('lock', target))
    await this.#state.delete(key('pause', target))
  }

  async #takeSlot(
    target: PushTarget,
    approvalId: string,
    expiresAt: number,
    isOver: (id: string) => Promise<boolean>,
  ): Promise<void> {
    const lifetime = { ttlMs: Math.max(1, expiresAt - this.#now()) }
    for (let attempt = 0; attempt < 8; attempt += 1) {
      if (await this.#state.putIfAbsent(key('slot', target), approvalId, lifetime)) return
      const slot = await this.#state.get(key('slot', target))
      if (!slot) continue
      const isFree = slot.value === null || (typeof slot.value === 'string' && (await isOver(slot.value)))
      if (!isFree) {
        throw new ApprovalLimitedError('pending-elsewhere', this.#secondsTo(slot.expiresAt))
      }
      if (await this.#state.update(key('slot', target), slot.version, approvalId, lifetime)) return
    }
    throw new ApprovalLimitedError('pending-elsewhere', 1)
  }

  async #spend(target: PushTarget): Promise<void> {
    for (const { max, windowSeconds } of this.#policy.budget) {
      const counter = await this.#state.increment(budgetKey(target, windowSeconds), { windowMs: windowSeconds * 1000 })
      if (counter.count > max) throw new ApprovalLimitedError('budget', this.#secondsTo(counter.resetsAt))
    }
  }

  #secondsTo(time: number): number {
    return Math.max(1, Math.ceil((time - this.#now()) / 1000))
  }
}

function key(kind: 'slot' | 'pause' | 'lock', target: PushTarget): string {
  return `push-${kind}:${target.channel}:${digest(target.reference)}`
}

function budgetKey(target: PushTarget, windowSeconds: number): string {
  return `push-budget:${windowSeconds}:${target.channel}:${digest(target.reference)}`
}

// References come from outside and may be long or personal; keys are neither.
function digest(reference: string): string {
  return createHash('sha256').update(reference).digest('base64url')
}

interface Pause {
  readonly denials: number
  readonly until: number
  readonly approvalId: string
}

function readPause(value: JsonValue | undefined): Pause | undefined {
  if (typeof value !== 'object' || value === null || !('denials' in value)) return undefined
  const { denials, until, approvalId } = value
  return typeof denials === 'number' && typeof until === 'number' && typeof approvalId === 'string'
    ? { denials, until, approvalId }
    : undefined
}

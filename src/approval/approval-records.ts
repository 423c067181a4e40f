import { createHash } from 'node:crypto'
import { StoreUnavailableError } from '../errors.js'
import { publishApprovalEvent } from './events.js'
import type { JsonObject, JsonValue } from './json.js'
import { isOpen, redeemableUntil, step, type ApprovalRecord, type LifeEvent } from './life.js'
import type { StateStore } from './state-store.js'

// How long an ended approval can still be asked for: late callbacks must find it, so that they change nothing.
const memoryMs = 15 * 60_000
const maxAttempts = 100

/** Reads and changes approvals in the store, each change one compare-and-set over {@link step}. */
export class ApprovalRecords {
  readonly #state: StateStore
  readonly #now: () => number

  constructor(state: StateStore, now: () => number) {
    this.#state = state
    this.#now = now
  }

  async create(record: ApprovalRecord): Promise<void> {
    const created = await this.#state.putIfAbsent(recordKey(record.id), toJson(record), {
      ttlMs: this.#lifetime(record),
    })
    if (!created) throw new StoreUnavailableError('the store already holds an approval of a new random id')
    this.#tell(undefined, record)
  }

  /** The record as it is now; an end that time brought is not written by this. */
  async read(id: string): Promise<ApprovalRecord | undefined> {
    const found = readRecord((await this.#state.get(recordKey(id)))?.value)
    return found && step(found, { type: 'tick' }, this.#now())
  }

  /** Applies an event. `changed` is true for the one caller whose write made the difference. */
  async change(id: string, event: LifeEvent): Promise<{ record: ApprovalRecord; changed: boolean } | undefined> {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const found = await this.#state.get(recordKey(id))
      const record = readRecord(found?.value)
      if (!found || !record) return undefined
      const next = step(record, event, this.#now())
      if (next === record) return { record, changed: false }
      if (await this.#state.update(recordKey(id), found.version, toJson(next), { ttlMs: this.#lifetime(next) })) {
        this.#tell(record, next)
        await this.#state.publish(topicOf(id))
        return { record: next, changed: true }
      }
    }
    throw new StoreUnavailableError('an approval is changed by too many at once')
  }

  /** Remembers which approval a provider's handle belongs to. */
  async index(record: ApprovalRecord): Promise<void> {
    for (const ask of record.asks) {
      await this.#state.put(handleKey(record.channel, ask.reference), record.id, { ttlMs: this.#lifetime(record) })
    }
  }

  async idOfHandle(channel: string, reference: string): Promise<string | undefined> {
    const found = (await this.#state.get(handleKey(channel, reference)))?.value
    return typeof found === 'string' ? found : undefined
  }

  #lifetime(record: ApprovalRecord): number {
    return Math.max(redeemableUntil(record) - this.#now(), 0) + memoryMs
  }

  #tell(from: ApprovalRecord | undefined, to: ApprovalRecord): void {
    if (from?.status === to.status) return
    publishApprovalEvent(() => ({
      id: to.id,
      channel: to.channel,
      subject: to.subject,
      purpose: to.purpose,
      from: from?.status,
      to: to.status,
      reason: undefined,
      at: this.#now(),
      durationMs: this.#now() - to.startedAt,
    }))
  }
}

/** The topic on which changes of an approval are announced. */
export function topicOf(id: string): string {
  return `approval:${id}`
}

function recordKey(id: string): string {
  return `approval:${id}`
}

function handleKey(channel: string, reference: string): string {
  return `approval-handle:${channel}:${createHash('sha256').update(reference).digest('base64url')}`
}

function toJson(record: ApprovalRecord): JsonObject {
  return record as unknown as JsonObject
}

// The store gives back what toJson put there, or nothing. The version tells records of a later release apart.
function readRecord(value: JsonValue | undefined): ApprovalRecord | undefined {
  if (typeof value !== 'object' || value === null || !('v' in value) || value['v'] !== 1) return undefined
  return value as unknown as ApprovalRecord
}

/** True when the approval `record` needs no more looking after by time: it is decided, and nothing can change it. */
export function isOver(record: ApprovalRecord | undefined): boolean {
  return record === undefined || !isOpen(record)
}

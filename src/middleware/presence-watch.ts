import { z } from 'zod'
import type { ReleaseHandle } from '../approval/approvals-types.js'
import type { ApprovalChannel, PresenceStatus } from '../approval/channel.js'
import type { JsonValue } from '../approval/json.js'
import type { StateStore } from '../approval/state-store.js'
import type { Logger, Runtime } from '../runtime.js'

/** What is known of somebody's presence. `unknown`: the provider could not be asked, so nobody gets in. */
export interface PresenceRecord {
  readonly status: PresenceStatus | 'unknown'
  /** Milliseconds since the epoch, like all times here. */
  readonly checkedAt: number
  /** Since when it is not `present`. */
  readonly awaySince: number | undefined
  /** Checks that failed in a row. */
  readonly failures: number
}

export interface PresenceWatchParts {
  readonly channels: ReadonlyMap<string, ApprovalChannel>
  readonly state: StateStore
  readonly runtime: Runtime
  readonly logger: Logger
  readonly intervalMs: number
  readonly suspendedLimitMs: number
}

const FAILURES_TO_END = 3
const CHECK_MS = 5_000
const LOOK_AGAIN_MS = 50
const KEEP_MS = 86_400_000

const stored = z.object({
  status: z.enum(['present', 'away', 'ended', 'unknown']),
  checkedAt: z.number(),
  awaySince: z.number().nullable(),
  failures: z.number(),
})

/**
 * Keeps one record of presence a login, for all its requests, tabs and nodes. What a request gets is never older than the
 * interval: in the second half of it a check runs beside the requests, and only when there is nothing younger does a request wait for one.
 */
export class PresenceWatch {
  readonly #parts: PresenceWatchParts
  readonly #checks = new Map<string, Promise<PresenceRecord>>()

  constructor(parts: PresenceWatchParts) {
    this.#parts = parts
  }

  /** Whether a channel can tell at all. */
  watches(handle: ReleaseHandle): boolean {
    return this.#parts.channels.get(handle.channel)?.presence !== undefined
  }

  /** Where somebody is, by a check that is not older than the interval. */
  async look(id: string, handles: readonly ReleaseHandle[]): Promise<PresenceRecord> {
    const { runtime, intervalMs, logger } = this.#parts
    const record = await this.#read(id)
    if (record?.status === 'ended') return record
    const age = record ? runtime.now() - record.checkedAt : Infinity
    if (record && age >= 0 && age < intervalMs / 2) return record
    const check = this.#shared(id, handles)
    if (!record || age < 0 || age >= intervalMs) return check
    check.catch((error: unknown) => {
      logger.error({ error }, 'presence could not be checked')
    })
    return record
  }

  /** One check at a time in this process, and by the store's lock in the cluster. */
  #shared(id: string, handles: readonly ReleaseHandle[]): Promise<PresenceRecord> {
    const running = this.#checks.get(id)
    if (running) return running
    const check = this.#locked(id, handles).finally(() => this.#checks.delete(id))
    this.#checks.set(id, check)
    return check
  }

  async #locked(id: string, handles: readonly ReleaseHandle[]): Promise<PresenceRecord> {
    const { state, runtime } = this.#parts
    const lock = `presence-check:${id}`
    const before = await this.#read(id)
    if (await state.putIfAbsent(lock, true, { ttlMs: 2 * CHECK_MS })) {
      try {
        return await this.#check(id, handles, before)
      } finally {
        await state.delete(lock)
      }
    }
    // Another node asks already: its answer is ours.
    for (let waited = 0; waited < CHECK_MS; waited += LOOK_AGAIN_MS) {
      await runtime.sleep(LOOK_AGAIN_MS)
      const record = await this.#read(id)
      if (record && record.checkedAt !== before?.checkedAt) return record
    }
    return { ...fresh, ...before, status: 'unknown' }
  }

  async #check(
    id: string,
    handles: readonly ReleaseHandle[],
    before: PresenceRecord | undefined,
  ): Promise<PresenceRecord> {
    const status = await this.#ask(handles)
    const { state, runtime, suspendedLimitMs } = this.#parts
    const now = runtime.now()
    const awaySince = status === 'present' ? undefined : (before?.awaySince ?? now)
    const failures = status === 'unknown' ? (before?.failures ?? 0) + 1 : 0
    const isOver = failures >= FAILURES_TO_END || (awaySince !== undefined && now - awaySince >= suspendedLimitMs)
    const record: PresenceRecord = { status: isOver ? 'ended' : status, checkedAt: now, awaySince, failures }
    await state.put(presenceKey(id), write(record), { ttlMs: KEEP_MS })
    return record
  }

  async #ask(handles: readonly ReleaseHandle[]): Promise<PresenceRecord['status']> {
    const { channels, logger } = this.#parts
    const signal = AbortSignal.timeout(CHECK_MS)
    const answers = await Promise.all(
      handles.map(async (handle): Promise<PresenceRecord['status']> => {
        try {
          return (await channels.get(handle.channel)?.presence?.(handle, { signal })) ?? 'unknown'
        } catch (error) {
          logger.warn({ channel: handle.channel, error }, 'a provider could not be asked for presence')
          return 'unknown'
        }
      }),
    )
    return (['ended', 'unknown', 'away'] as const).find((status) => answers.includes(status)) ?? 'present'
  }

  async #read(id: string): Promise<PresenceRecord | undefined> {
    const record = stored.safeParse((await this.#parts.state.get(presenceKey(id)))?.value).data
    return record && { ...record, awaySince: record.awaySince ?? undefined }
  }
}

const fresh: PresenceRecord = { status: 'unknown', checkedAt: 0, awaySince: undefined, failures: 0 }

function presenceKey(id: string): string {
  return `presence:${id}`
}

function write({ status, checkedAt, awaySince, failures }: PresenceRecord): JsonValue {
  return { status, checkedAt, awaySince: awaySince ?? null, failures }
}

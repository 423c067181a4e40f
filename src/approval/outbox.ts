import type { ReleaseHandle } from './approvals-types.js'
import { callSignal, leaseMs, type Heart } from './heart.js'
import type { JsonValue } from './json.js'

/** The queue of remote sessions that must still be ended. */
export const releaseQueue = 'releases'

const lifetimeMs = 86_400_000
const firstRetryMs = 2_000
const slowestRetryMs = 300_000

/**
 * Remote sign-outs that outlast the request, and the process, that asked for them: each is stored before it is tried, and tried again until the
 * provider agreed or a day has passed. What is stored is what the channel gave out: it seals what is secret.
 */
export class Outbox {
  readonly #heart: Heart

  constructor(heart: Heart) {
    this.#heart = heart
  }

  async add(handle: ReleaseHandle): Promise<void> {
    const { state, runtime } = this.#heart
    const id = Buffer.from(runtime.randomBytes(16)).toString('base64url')
    const job = { handle, since: runtime.now() } as unknown as JsonValue
    await state.put(jobKey(id), job, { ttlMs: lifetimeMs })
    await state.schedule(releaseQueue, id, runtime.now())
    await this.attempt(id)
  }

  /** Tries one job if it is due and nobody else does. */
  async attempt(id: string): Promise<void> {
    const claimed = await this.#heart.state.claim(releaseQueue, { leaseMs, limit: 1, member: id })
    if (claimed.length > 0) await this.attemptClaimed(id)
  }

  /** The same for a job that the caller has claimed already. */
  async attemptClaimed(id: string): Promise<void> {
    const { state, channels, runtime, logger } = this.#heart
    const job = readJob((await state.get(jobKey(id)))?.value)
    const channel = job && channels.get(job.handle.channel)
    if (!job || !channel?.release) {
      if (job)
        logger.error({ channel: job.handle.channel }, 'a remote session cannot be ended: no such channel is configured')
      await this.#drop(id)
      return
    }
    try {
      await channel.release(job.handle, { signal: callSignal() })
      await this.#drop(id)
    } catch (error) {
      const elapsed = runtime.now() - job.since
      const delay = Math.min(Math.max(firstRetryMs, elapsed), slowestRetryMs)
      logger.warn({ channel: channel.name, error, retryInMs: delay }, 'a remote session could not be ended yet')
      await state.schedule(releaseQueue, id, runtime.now() + delay)
    }
  }

  async #drop(id: string): Promise<void> {
    await this.#heart.state.unschedule(releaseQueue, id)
    await this.#heart.state.delete(jobKey(id))
  }
}

function jobKey(id: string): string {
  return `release:${id}`
}

interface Job {
  readonly handle: ReleaseHandle
  readonly since: number
}

function readJob(value: JsonValue | undefined): Job | undefined {
  return typeof value === 'object' && value !== null && 'handle' in value ? (value as unknown as Job) : undefined
}

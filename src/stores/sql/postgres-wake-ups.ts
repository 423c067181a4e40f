import { sql } from 'kysely'
import type { Logger } from '../../runtime.js'
import type { WakeUps } from '../wake-ups.js'
import type { PostgresClient, PostgresPool } from './postgres-pool.js'
import type { Queries } from './query.js'

// Pools that have our listener for broken connections: one is enough for all stores on a pool.
const guarded = new WeakSet<PostgresPool>()

const FIRST_PAUSE_MS = 100
const MAX_PAUSE_MS = 5_000
const FIRST_WAIT_MS = 1_000

/** Carries wake-ups between processes by LISTEN and NOTIFY. All of it is a hint: what fails is logged and tried again. */
export class PostgresWakeUps {
  readonly #pool: PostgresPool
  readonly #channel: string
  readonly #own: string
  readonly #local: WakeUps
  readonly #logger: Logger
  #listening: Promise<void> | undefined
  #client: PostgresClient | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #pauseMs = FIRST_PAUSE_MS
  #interrupted = false
  #closed = false

  /** @param options - `own` tells the wake-ups of this store, who were served already, from those of others. */
  constructor(options: { pool: PostgresPool; channel: string; own: string; local: WakeUps; logger: Logger }) {
    this.#pool = options.pool
    // Checked with the table prefix that it is made of: LISTEN takes no parameter.
    this.#channel = options.channel
    this.#local = options.local
    this.#logger = options.logger
    this.#own = options.own
    if (guarded.has(options.pool)) return
    guarded.add(options.pool)
    // Without a listener, pg's pool ends the process when the server drops an idle connection.
    options.pool.on('error', (error) => this.#logger.warn({ err: error }, 'an idle connection to PostgreSQL broke'))
  }

  async publish(topic: string, queries: Queries): Promise<void> {
    try {
      await queries.rows(sql`select pg_notify(${this.#channel}, ${`${this.#own} ${topic}`})`)
    } catch (error) {
      this.#logger.warn({ err: error }, 'a wake-up could not be published')
    }
  }

  /** Resolves when listening, or after a second: the attempts go on in the background. */
  async listen(): Promise<void> {
    if (this.#closed) return
    this.#listening ??= this.#connect()
    await atMost(FIRST_WAIT_MS, this.#listening)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    await atMost(FIRST_WAIT_MS, this.#listening)
    this.#client?.release(true)
    this.#client = undefined
  }

  async #connect(): Promise<void> {
    let client: PostgresClient | undefined
    try {
      client = await this.#pool.connect()
      const connected = client
      if (this.#isClosed()) {
        client.release()
        return
      }
      client.on('notification', ({ payload }) => this.#heard(payload ?? ''))
      client.on('error', (error) => this.#lost(connected, error))
      await client.query(`listen ${this.#channel}`)
      this.#client = client
      this.#pauseMs = FIRST_PAUSE_MS
      // Whatever was said while nobody listened is lost: let everybody look.
      if (this.#interrupted) this.#local.wakeAll()
      this.#interrupted = false
    } catch (error) {
      client?.release(true)
      this.#again(error)
    }
  }

  #heard(payload: string): void {
    const space = payload.indexOf(' ')
    if (payload.slice(0, space) !== this.#own) this.#local.wake(payload.slice(space + 1))
  }

  // A function, because the compiler thinks that nobody changed the field while we waited.
  #isClosed(): boolean {
    return this.#closed
  }

  #lost(client: PostgresClient, error: Error): void {
    if (this.#client !== client) return
    this.#client = undefined
    client.release(true)
    this.#again(error)
  }

  #again(error: unknown): void {
    this.#interrupted = true
    if (this.#closed) return
    this.#logger.warn({ err: error }, 'listening for wake-ups failed; it is tried again')
    this.#retry = setTimeout(() => {
      this.#listening = this.#connect()
    }, this.#pauseMs)
    this.#retry.unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS)
  }
}

async function atMost(ms: number, work: Promise<void> | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}

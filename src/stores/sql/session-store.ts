import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { sql, type RawBuilder } from 'kysely'
import { z } from 'zod'
import { ConfigurationError, InvalidInputError } from '../../errors.js'
import { loggerOption, parseOptions, runtimeOption } from '../../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../../runtime.js'
import { Cleaner } from './cleaner.js'
import { databaseOption, isPostgres, table, tablePrefixOption, toText } from './database.js'
import type { SqlDatabase } from './sql-database.js'
import { Queries } from './query.js'

/** What {@link SqlSessionStore} takes. */
export interface SqlSessionStoreOptions {
  /** A Kysely instance on SQLite or PostgreSQL, with the tables that `migrateToLatest` makes. */
  readonly db: SqlDatabase
  /** What the names of our tables begin with. Default `oob_`. */
  readonly tablePrefix?: string | undefined
  /** How long a session lives whose cookie has no end of its own, in milliseconds from its last use. Default one day. */
  readonly ttlMs?: number | undefined
  /** How long an answer of the database may take, in milliseconds. Default 5000. */
  readonly timeoutMs?: number | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

/** A session as express-session hands it to its store: a cookie, and what the application put there. */
export interface StoredSession {
  cookie: { originalMaxAge: number | null; expires?: Date | null | undefined }
}

const optionsSchema = z.strictObject({
  db: databaseOption,
  tablePrefix: tablePrefixOption,
  ttlMs: z
    .int()
    .min(1)
    .max(400 * 86_400_000)
    .default(86_400_000),
  timeoutMs: z.int().min(1).max(60_000).default(5_000),
  runtime: runtimeOption,
  logger: loggerOption,
})

const MAX_SESSION_CHARACTERS = 1_048_576
// How long a destroyed session stays known: longer than any request that began before it was destroyed.
const GRAVE_MS = 86_400_000
// A session is not written again merely because its end moved by less than this.
const TOUCH_STEP_MS = 60_000

/**
 * A store for express-session in SQLite or PostgreSQL, on the handle of the other stores. Sessions are kept under a
 * digest of their id: who reads the database can't use them. A session that was destroyed stays destroyed: a slower
 * request that began before a sign-out can't bring it back when it ends.
 *
 * @throws {@link ConfigurationError} from the constructor if express-session isn't installed. The callbacks get
 *   {@link StoreUnavailableError} when the database can't answer: express-session then fails the request.
 *
 * @example
 * app.use(session({ store: new SqlSessionStore({ db }), secret, resave: false, saveUninitialized: false }))
 */
export class SqlSessionStore extends EventEmitter {
  readonly #queries: Queries
  readonly #table: RawBuilder<unknown>
  readonly #cleaner: Cleaner
  readonly #now: () => number
  readonly #ttlMs: number
  readonly #logger: Logger
  readonly #base: BaseStore

  constructor(options: SqlSessionStoreOptions) {
    super()
    const { db, tablePrefix, ttlMs, timeoutMs, runtime, logger } = parseOptions(
      optionsSchema,
      options,
      'SqlSessionStore',
    )
    const { now } = resolveRuntime(runtime)
    this.#base = loadBaseStore()
    this.#now = () => Math.floor(now())
    this.#ttlMs = ttlMs
    this.#logger = logger ?? silentLogger
    this.#table = table(tablePrefix, 'sessions')
    this.#queries = new Queries(db, timeoutMs)
    this.#cleaner = new Cleaner(this.#queries, {
      table: this.#table,
      id: 'id',
      postgres: isPostgres(db, 'SqlSessionStore'),
    })
  }

  get(sid: string, callback: (error: unknown, session?: StoredSession | null) => void): void {
    answer(this.#read(sid), callback)
  }

  set(sid: string, session: StoredSession, callback?: (error?: unknown) => void): void {
    answer(this.#write(sid, session), callback)
  }

  destroy(sid: string, callback?: (error?: unknown) => void): void {
    answer(this.#bury(sid), callback)
  }

  touch(sid: string, session: StoredSession, callback?: (error?: unknown) => void): void {
    answer(this.#touch(sid, session), callback)
  }

  /** Ends the request's session and begins a new one. Called by express-session. */
  regenerate(req: object, callback: (error?: unknown) => void): void {
    this.#base.regenerate.call(this, req, callback)
  }

  /** Loads a session by its id. Called by express-session and by applications that share sessions with a web socket. */
  load(sid: string, callback: (error: unknown, session?: StoredSession) => void): void {
    this.#base.load.call(this, sid, callback)
  }

  /** Makes the stored data the request's session. Called by express-session. */
  createSession<S>(req: { session: S }, data: object): S {
    this.#base.createSession.call(this, req, data)
    return req.session
  }

  /**
   * Deletes sessions that have ended, up to 500. Happens by itself as sessions are written.
   *
   * @returns how many were deleted: call again while it is more than 0.
   */
  clean(): Promise<number> {
    return this.#cleaner.clean(this.#now())
  }

  async #read(sid: string): Promise<StoredSession | null> {
    const rows = await this.#queries.rows(sql<{ data: unknown }>`
      select data from ${this.#table} where id = ${idOf(sid)} and expires_at > ${this.#now()} and data is not null`)
    return rows[0] === undefined ? null : storedSession.parse(JSON.parse(toText(rows[0].data)))
  }

  async #write(sid: string, session: StoredSession): Promise<void> {
    const data = JSON.stringify(session)
    if (data.length > MAX_SESSION_CHARACTERS) {
      throw new InvalidInputError('session', 'the session is larger than 1 MiB: keep large things elsewhere')
    }
    const expiresAt = this.#endOf(session)
    if (expiresAt <= this.#now()) return this.#bury(sid)
    // A destroyed session is a row without data, which nothing writes to again.
    await this.#queries.rows(sql`
      insert into ${this.#table} (id, data, expires_at) values (${idOf(sid)}, ${data}, ${expiresAt})
      on conflict (id) do update set data = excluded.data, expires_at = excluded.expires_at
      where ${this.#table}.data is not null`)
    if (this.#cleaner.countWrite()) await this.#cleanQuietly()
  }

  async #bury(sid: string): Promise<void> {
    await this.#queries.rows(sql`
      update ${this.#table} set data = null, expires_at = ${this.#now() + GRAVE_MS}
      where id = ${idOf(sid)} and data is not null`)
  }

  async #touch(sid: string, session: StoredSession): Promise<void> {
    const expiresAt = this.#endOf(session)
    const now = this.#now()
    const step = Math.min(TOUCH_STEP_MS, Math.floor((expiresAt - now) / 10))
    await this.#queries.rows(sql`
      update ${this.#table} set expires_at = ${expiresAt}
      where id = ${idOf(sid)} and data is not null and expires_at > ${now} and expires_at < ${expiresAt - step}`)
  }

  #endOf({ cookie }: StoredSession): number {
    const end = cookie.expires instanceof Date ? cookie.expires.getTime() : NaN
    return Number.isFinite(end) ? Math.floor(end) : this.#now() + this.#ttlMs
  }

  async #cleanQuietly(): Promise<void> {
    try {
      await this.clean()
    } catch (error) {
      // The write that it came with was acknowledged already.
      this.#logger.warn({ err: error }, 'ended sessions could not be deleted')
    }
  }
}

const storedSession = z.looseObject({
  cookie: z.looseObject({
    originalMaxAge: z.number().nullable().default(null),
    // The cookie writes itself as JSON with the end as text.
    expires: z
      .string()
      .transform((text) => new Date(text))
      .nullish(),
  }),
})

// What express-session's own base class of stores does on top of get, set and destroy: as of the application's version.
interface BaseStore {
  readonly regenerate: (this: object, req: object, callback: (error?: unknown) => void) => void
  readonly load: (this: object, sid: string, callback: (error: unknown, session?: StoredSession) => void) => void
  readonly createSession: (this: object, req: object, data: object) => unknown
}

const expressSession = z.custom<{ readonly Store: { readonly prototype: BaseStore } }>(
  (value) => typeof value === 'function' && 'Store' in value && typeof value.Store === 'function',
)

function loadBaseStore(): BaseStore {
  try {
    return expressSession.parse(createRequire(import.meta.url)('express-session')).Store.prototype
  } catch (cause) {
    throw new ConfigurationError('SqlSessionStore serves express-session: run `npm install express-session`', { cause })
  }
}

function idOf(sid: string): string {
  if (typeof sid !== 'string' || sid === '') throw new InvalidInputError('sid', 'the session id must be a string')
  return createHash('sha256').update(sid, 'utf16le').digest('base64url')
}

function answer<T>(work: Promise<T>, callback: ((error: unknown, value?: T) => void) | undefined): void {
  // On a tick of its own: what a callback throws is the application's, and must not be taken for an error of the store.
  work.then(
    (value) => process.nextTick(() => callback?.(null, value)),
    (error: unknown) => process.nextTick(() => callback?.(error)),
  )
}

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { StateStore } from '../approval/state-store.js'

/**
 * One login and everything refreshed from it, by the `jti` of its tokens. Times are whole seconds, as in tokens; null
 * stands for "not known yet" in a session that was taken over from elsewhere.
 */
export interface Session {
  readonly userId: number
  /** The user's `epoch` when it was begun: under another one the session is over. */
  readonly epoch: number
  /** When the password was last proved in this session. */
  readonly authenticatedAt: number
  /** How the user was proved when it was begun, in the words of RFC 8176: `pwd`, `otp`, `mfa`. Never added to later. */
  readonly methods: readonly string[]
  readonly startedAt: number
  /** `iat` of the newest token. */
  readonly newestIat: number | null
  /** `iat` of the token that the newest was made from, and when: it may come again for a short while. */
  readonly previousIat: number | null
  readonly refreshedAt: number | null
  /** When the session ends, however often it is refreshed. */
  readonly refreshUntil: number | null
  /** Name of the client that began it, cut, for the list of one's sessions. */
  readonly client: string
}

/** A session as it was read: `version` is for the next write. */
export interface StoredSession extends Session {
  readonly jti: string
  readonly version: string
}

/** What came of a refresh. */
export type Rotation =
  /** `iat` is that of the token to be handed out. */
  | { readonly outcome: 'rotated' | 'repeated'; readonly iat: number; readonly session: Session }
  /** An old token came again: whoever holds it may have stolen it, or the newer one. The session is over. */
  | { readonly outcome: 'replayed' }
  | { readonly outcome: 'gone' }

const schema = z.object({
  userId: z.number(),
  epoch: z.number(),
  authenticatedAt: z.number(),
  // Sessions of before this was kept have none: less is safe, more would not be.
  methods: z.array(z.string()).default([]),
  startedAt: z.number(),
  newestIat: z.number().nullable(),
  previousIat: z.number().nullable(),
  refreshedAt: z.number().nullable(),
  refreshUntil: z.number().nullable(),
  client: z.string(),
})
const indexSchema = z.array(z.string())

const DAY_MS = 86_400_000
const MAX_SESSIONS = 50
const MAX_TRIES = 20

/** The sessions, in the state store: what makes a logout count at once, on every node and after a restart. */
export class Sessions {
  readonly #state: StateStore
  readonly #prefix: string
  readonly #lifetimeMs: number

  constructor(state: StateStore, options: { readonly namespace: string; readonly lifetimeSeconds: number }) {
    this.#state = state
    this.#prefix = options.namespace
    // A day longer than tokens can be refreshed, so that a late refresh learns that it is late.
    this.#lifetimeMs = options.lifetimeSeconds * 1000 + DAY_MS
  }

  async begin(session: Session): Promise<string> {
    const jti = randomUUID()
    await this.#state.put(this.#key(jti), { ...session }, { ttlMs: this.#lifetimeMs })
    await this.#changeIndex(session.userId, (jtis) => [...jtis, jti])
    return jti
  }

  /** Puts a session of a given `jti` into the store: for moving over from elsewhere, and for tests. */
  async adopt(jti: string, session: Session): Promise<void> {
    await this.#state.put(this.#key(jti), { ...session }, { ttlMs: this.#lifetimeMs })
    await this.#changeIndex(session.userId, (jtis) => [...jtis.filter((other) => other !== jti), jti])
  }

  async read(jti: unknown): Promise<StoredSession | undefined> {
    if (typeof jti !== 'string' || jti.length === 0 || jti.length > 200) return undefined
    const record = await this.#state.get(this.#key(jti))
    const session = schema.safeParse(record?.value)
    return record && session.success ? { ...session.data, jti, version: record.version } : undefined
  }

  /** Ends a session: a record that is gone is never written again by anybody, a refresh under way included. */
  async end(jti: string, userId: number): Promise<void> {
    await this.#state.delete(this.#key(jti))
    await this.#changeIndex(userId, (jtis) => jtis.filter((other) => other !== jti))
  }

  /** Takes one session over into a new epoch, in which all others of the user are over. */
  async keep(jti: string, change: { readonly epoch: number; readonly authenticatedAt?: number }): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const session = await this.read(jti)
      if (session === undefined) return
      const { version, jti: _jti, ...rest } = session
      if (await this.#state.update(this.#key(jti), version, { ...rest, ...change })) return
    }
  }

  /** The living sessions of a user, newest last. */
  async list(userId: number, epoch: number): Promise<readonly StoredSession[]> {
    const jtis = await this.#readIndex(userId)
    const sessions = await Promise.all(jtis.map((jti) => this.read(jti)))
    return sessions.flatMap((session) => (session?.userId === userId && session.epoch === epoch ? [session] : []))
  }

  /**
   * Moves a session to its next token, in one compare-and-set. Only the newest token gets that far; the one before it
   * gets the same successor for `graceSeconds` (parallel tabs, a lost answer); anything older ends the session. With
   * `Infinity` there is no rotation: every token of the session gets a next one.
   */
  async rotate(jti: string, token: { readonly iat: number }, now: number, graceSeconds: number): Promise<Rotation> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const stored = await this.read(jti)
      if (stored === undefined) return { outcome: 'gone' }
      const { version, jti: _jti, ...session } = stored
      const rotates = graceSeconds !== Infinity
      if (!rotates || session.newestIat === null || token.iat === session.newestIat) {
        const next = { ...session, newestIat: now, previousIat: token.iat, refreshedAt: now }
        if (await this.#state.update(this.#key(jti), version, next))
          return { outcome: 'rotated', iat: now, session: next }
        // Without rotation somebody else's refresh takes nothing away, as long as the session is there.
        if (!rotates && (await this.read(jti)) !== undefined) return { outcome: 'repeated', iat: now, session: next }
        continue
      }
      const repeated = token.iat === session.previousIat && now - (session.refreshedAt ?? 0) <= graceSeconds
      if (repeated) return { outcome: 'repeated', iat: session.newestIat, session }
      await this.end(jti, session.userId)
      return { outcome: 'replayed' }
    }
    return { outcome: 'gone' }
  }

  #key(jti: string): string {
    return `${this.#prefix}:session:${jti}`
  }

  async #readIndex(userId: number): Promise<readonly string[]> {
    const record = await this.#state.get(`${this.#prefix}:sessions:${userId}`)
    const index = indexSchema.safeParse(record?.value)
    return index.success ? index.data : []
  }

  // The list of a user's sessions is bounded: beyond it the oldest session ends.
  async #changeIndex(userId: number, change: (jtis: readonly string[]) => readonly string[]): Promise<void> {
    const key = `${this.#prefix}:sessions:${userId}`
    const lifetime = { ttlMs: this.#lifetimeMs }
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const record = await this.#state.get(key)
      const index = indexSchema.safeParse(record?.value)
      const jtis = change(index.success ? index.data : [])
      const kept = jtis.slice(-MAX_SESSIONS)
      const written = record
        ? await this.#state.update(key, record.version, kept, lifetime)
        : await this.#state.putIfAbsent(key, kept, lifetime)
      if (!written) continue
      for (const jti of jtis.slice(0, -MAX_SESSIONS)) await this.#state.delete(this.#key(jti))
      return
    }
  }
}

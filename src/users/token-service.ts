import type { JsonObject } from '../approval/json.js'
import type { ServiceContext } from './context.js'
import { publicUser, type PublicUser } from './public-user.js'
import { refusalOf, type Refused } from './outcome.js'
import type { Caller } from './tokens.js'

/** What came of checking a token. `status`, `code` and `description` are those that the routes answer with. */
export type TokenVerification =
  | {
      readonly ok: true
      readonly user: PublicUser
      /** The session's id. */
      readonly jti: string
      readonly claims: JsonObject
      /** When the password was last proved in this session. */
      readonly authenticatedAt: Date
      /** How the user was proved when the session was begun (RFC 8176): `['pwd']`, `['pwd', 'otp', 'mfa']`. */
      readonly methods: readonly string[]
    }
  | Refused

/** The tokens of a user service, for the rest of the application. */
export interface UserTokens {
  /** Checks an access token as every route does: signature, times, session, user. Never throws for what is in the token. */
  readonly verify: (token: string) => Promise<TokenVerification>
  /** Signs a user in without a password, after the application has proved who they are by itself. */
  readonly issue: (
    userId: number,
    options?: { readonly client?: string; readonly methods?: readonly string[] },
  ) => Promise<string | undefined>
  /** Ends all sessions of a user. */
  readonly endSessions: (userId: number) => Promise<void>
  /**
   * Takes a session of another service over by the `jti` of its tokens, which must be signed with a key of the ring.
   * Whoever holds the token is that user from now on.
   */
  readonly adopt: (jti: string, userId: number) => Promise<void>
}

export function createTokenService(context: ServiceContext): UserTokens {
  return {
    async verify(token) {
      try {
        return { ok: true, ...verified(await context.tokens.check(token, 'access')) }
      } catch (error) {
        return refusalOf(error)
      }
    },
    async issue(userId, options = {}) {
      const user = await context.store.findById(userId)
      if (user?.isActive !== true) return undefined
      context.emit({ type: 'login', userId, reason: 'application' })
      return context.tokens.issue(user, options.client ?? 'application', options.methods ?? [])
    },
    async endSessions(userId) {
      await context.store.update(userId, { endSessions: true }, { at: context.now() })
      context.emit({ type: 'sessions.ended', userId, reason: 'application' })
    },
    async adopt(jti, userId) {
      const user = await context.store.findById(userId)
      const now = Math.floor(context.now() / 1000)
      await context.sessions.adopt(jti, {
        userId,
        epoch: user?.epoch ?? 0,
        authenticatedAt: now,
        methods: [],
        startedAt: now,
        newestIat: null,
        previousIat: null,
        refreshedAt: null,
        refreshUntil: null,
        client: 'adopted',
      })
    },
  }
}

function verified(caller: Caller): {
  user: PublicUser
  jti: string
  claims: JsonObject
  authenticatedAt: Date
  methods: readonly string[]
} {
  const authenticatedAt = new Date(caller.session.authenticatedAt * 1000)
  const { jti, claims, session } = caller
  return { user: publicUser(caller.user), jti, claims, authenticatedAt, methods: session.methods }
}

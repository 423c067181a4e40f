import type { JsonObject, JsonValue } from '../approval/json.js'
import { refusals, refused, type Refusal } from './refusal.js'
import { member } from './schema.js'
import type { Session, Sessions, StoredSession } from './sessions.js'
import { TokenError, type TokenCodec } from './token-codec.js'
import type { UserRecord, UserStore } from './user-store.js'

/** What a token is to be used for. `logout` takes one that is good for access or for refresh. */
export type TokenUse = 'access' | 'refresh' | 'logout'

/** The holder of a good token. */
export interface Caller {
  readonly user: UserRecord
  readonly jti: string
  readonly session: StoredSession
  readonly claims: JsonObject
}

/** How a session was begun, for claims such as `amr` and `auth_time`. */
export interface LoginFacts {
  /** RFC 8176: `pwd`, and with a second factor `mfa` and what the factor says of itself. */
  readonly methods: readonly string[]
  readonly authenticatedAt: Date
}

export interface TokenSettings {
  readonly accessSeconds: number
  readonly refreshSeconds: number
  readonly idleSeconds: number | undefined
  readonly graceSeconds: number
  readonly audience: string | undefined
  readonly issuer: string | undefined
  readonly claims: ((user: UserRecord, login: LoginFacts) => JsonObject) | undefined
  /** Sends the texts of the original's libraries along. */
  readonly libraryTexts: boolean
}

export interface TokenParts {
  readonly codec: TokenCodec
  readonly sessions: Sessions
  readonly store: UserStore
  /** Whole seconds. */
  readonly now: () => number
  readonly onReplay: (userId: number) => void
}

const reserved = new Set(['iat', 'exp', 'jti', 'id', 'rls', 'rf_exp', 'nbf', 'aud', 'iss', 'is_ert'])

/** Issues, checks and renews access tokens. The order of the checks, and their words, are the original's. */
export class Tokens {
  readonly #settings: TokenSettings
  readonly #parts: TokenParts

  constructor(settings: TokenSettings, parts: TokenParts) {
    this.#settings = settings
    this.#parts = parts
  }

  /** Begins a session, which was proved by these methods a moment ago, and issues its first token. */
  async issue(user: UserRecord, client: string, methods: readonly string[]): Promise<string> {
    const now = this.#parts.now()
    const refreshUntil = now + this.#settings.refreshSeconds
    const jti = await this.#parts.sessions.begin({
      userId: user.id,
      epoch: user.epoch,
      authenticatedAt: now,
      methods,
      startedAt: now,
      newestIat: now,
      previousIat: null,
      refreshedAt: null,
      refreshUntil,
      client,
    })
    const login = { methods, authenticatedAt: new Date(now * 1000) }
    const custom = Object.entries(this.#settings.claims?.(user, login) ?? {}).filter(([name]) => !reserved.has(name))
    return this.#sign(Object.fromEntries(custom), { iat: now, jti, user, refreshUntil })
  }

  /** @throws {@link Refusal} */
  async check(token: string, use: TokenUse): Promise<Caller> {
    const claims = await this.#read(token)
    const { jti, id } = claimsOf(claims)
    if (jti === undefined) throw missingClaim('jti claim')
    const [session, user] = await Promise.all([
      this.#parts.sessions.read(jti),
      typeof id === 'number' && Number.isSafeInteger(id) ? this.#parts.store.findById(id) : undefined,
    ])
    if (session === undefined) throw refusals.blacklisted()
    const { exp, rfExp, isErt } = requireClaims(claims)
    if (id !== session.userId || (user !== undefined && user.epoch !== session.epoch)) throw refusals.blacklisted()
    if (isErt !== undefined)
      throw refused(
        401,
        'MisusedRegistrationToken',
        `registration token used for ${use === 'refresh' ? use : 'access'}`,
      )
    this.#checkTimes(use, { exp, rfExp }, session)
    if (user === undefined) throw use === 'refresh' ? missingUser() : unidentified()
    if (!user.isActive) throw refusals.invalidUser()
    return { user, jti: session.jti, session, claims }
  }

  /** The next token of the session. @throws {@link Refusal} */
  async refresh(token: string): Promise<{ readonly token: string; readonly user: UserRecord }> {
    const { user, jti, claims } = await this.check(token, 'refresh')
    const now = this.#parts.now()
    const iat = member(claims, 'iat')
    const rotation = await this.#parts.sessions.rotate(
      jti,
      { iat: typeof iat === 'number' ? iat : -1 },
      now,
      this.#settings.graceSeconds,
    )
    if (rotation.outcome === 'replayed') this.#parts.onReplay(user.id)
    if (rotation.outcome === 'replayed' || rotation.outcome === 'gone') throw refusals.blacklisted()
    const custom = Object.entries(claims).filter(([name]) => !reserved.has(name))
    const refreshUntil = refreshEnd(claims, rotation.session)
    return { token: await this.#sign(Object.fromEntries(custom), { iat: rotation.iat, jti, user, refreshUntil }), user }
  }

  async #sign(
    custom: JsonObject,
    token: { readonly iat: number; readonly jti: string; readonly user: UserRecord; readonly refreshUntil: number },
  ): Promise<string> {
    const { audience, issuer, accessSeconds } = this.#settings
    return this.#parts.codec.sign({
      ...custom,
      iat: token.iat,
      exp: Math.min(token.iat + accessSeconds, token.refreshUntil),
      jti: token.jti,
      id: token.user.id,
      rls: token.user.roles.join(','),
      rf_exp: token.refreshUntil,
      ...(audience === undefined ? {} : { aud: audience }),
      ...(issuer === undefined ? {} : { iss: issuer }),
    })
  }

  async #read(token: string): Promise<JsonObject> {
    try {
      const claims = await this.#parts.codec.read(token)
      this.#checkRegistered(claims)
      return claims
    } catch (error) {
      if (!(error instanceof TokenError)) throw error
      throw refused(
        401,
        'InvalidTokenHeader',
        `failed to decode JWT token${this.#settings.libraryTexts ? ` -- ${error.message}` : ''}`,
      )
    }
  }

  #checkRegistered(claims: JsonObject): void {
    const iat = member(claims, 'iat')
    const nbf = member(claims, 'nbf')
    if (iat !== undefined && !Number.isInteger(iat))
      throw new TokenError('InvalidIssuedAtError: Issued At claim (iat) must be an integer.')
    if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= this.#parts.now())) {
      throw new TokenError('ImmatureSignatureError: The token is not yet valid (nbf)')
    }
    const { audience, issuer } = this.#settings
    if (!audienceMatches(member(claims, 'aud'), audience))
      throw new TokenError('InvalidAudienceError: Invalid audience')
    if (issuer !== undefined && member(claims, 'iss') !== issuer)
      throw new TokenError('InvalidIssuerError: Invalid issuer')
  }

  #checkTimes(use: TokenUse, token: { readonly exp: number; readonly rfExp: number }, session: Session): void {
    const now = this.#parts.now()
    // Negated on purpose: what is no number fails every comparison, so it is refused.
    if (use !== 'refresh' && now <= token.exp) return
    if (use === 'access') throw expiredAccess()
    if (use === 'refresh' && !(now > token.exp)) {
      throw refused(401, 'EarlyRefreshError', 'access permission for token has not expired. may not refresh')
    }
    const end = Math.min(token.rfExp, session.refreshUntil ?? Infinity)
    const { idleSeconds } = this.#settings
    const idle = idleSeconds !== undefined && now - (session.newestIat ?? session.startedAt) > idleSeconds
    // A session that was never refreshed has always ended in the very second of rf_exp.
    const lapsed = session.refreshedAt === null && now === end
    if (!(now <= end) || lapsed || idle) {
      if (use === 'logout') throw expiredAccess()
      throw refused(401, 'ExpiredRefreshError', 'refresh permission for token has expired')
    }
  }
}

function audienceMatches(aud: JsonValue | undefined, audience: string | undefined): boolean {
  if (audience === undefined) return aud === undefined
  return aud === audience || (Array.isArray(aud) && aud.includes(audience))
}

function claimsOf(claims: JsonObject): { jti: JsonValue | undefined; id: JsonValue | undefined } {
  return { jti: member(claims, 'jti'), id: member(claims, 'id') }
}

function requireClaims(claims: JsonObject): { exp: number; rfExp: number; isErt: JsonValue | undefined } {
  if (member(claims, 'id') === undefined) throw missingClaim('id field')
  const exp = member(claims, 'exp')
  if (exp === undefined) throw missingClaim('exp claim')
  const rfExp = member(claims, 'rf_exp')
  if (rfExp === undefined) throw missingClaim('rf_exp claim')
  return { exp: numberOf(exp), rfExp: numberOf(rfExp), isErt: member(claims, 'is_ert') }
}

function numberOf(value: JsonValue): number {
  return typeof value === 'number' ? value : NaN
}

function refreshEnd(claims: JsonObject, session: Session): number {
  return Math.min(numberOf(member(claims, 'rf_exp') ?? 0), session.refreshUntil ?? Infinity)
}

function missingClaim(what: string): Refusal {
  return refused(401, 'MissingClaimError', `Token is missing ${what}`)
}

function expiredAccess(): Refusal {
  return refused(401, 'ExpiredAccessError', 'access permission has expired')
}

function unidentified(): Refusal {
  return refused(401, 'PraetorianError', 'Could not identify the current user from the current id')
}

function missingUser(): Refusal {
  return refused(401, 'MissingUserError', 'Could not find the requested user')
}

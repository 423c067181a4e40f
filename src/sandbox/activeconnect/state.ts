import { randomBytes } from 'node:crypto'
import { SandboxError } from '../../errors.js'
import type { ActiveconnectStatus } from '../../providers/activeconnect/wire.js'
import { sandboxSecretPrefix } from '../../providers/activeconnect/wire-sandbox.js'
import type { Presence } from '../phone/model.js'

export interface Device {
  readonly id: string
  readonly name: string
  readonly enrolledAt: number
  presence: Presence
}

export interface User {
  readonly app: string
  readonly id: string
  device: Device | undefined
}

export interface Session {
  readonly id: string
  readonly user: User
  readonly token: string
  readonly secret: string
  readonly methods: readonly string[]
  readonly createdAt: number
  /** How long it lasts from its approval on; undefined: until somebody ends it. */
  readonly durationMs: number | undefined
  approvedAt: number | undefined
  status: ActiveconnectStatus
  endedAt: number | undefined
}

interface Link {
  readonly user: User
  readonly displayName: string
  readonly expiresAt: number
}

const PENDING_MS = 60_000
const KEEP_MS = 86_400_000
const SESSIONS_KEPT = 10_000

// Ended states never change; `walkaway` is no end.
const transitions: Readonly<Record<string, readonly ActiveconnectStatus[]>> = {
  pending: ['identifying', 'timeout', 'cancelled', 'closed', 'failed'],
  identifying: ['active', 'failed', 'cancelled', 'timeout', 'closed'],
  active: ['walkaway', 'closed'],
  walkaway: ['active', 'closed'],
}

/** Everything that the service knows. */
export class ActiveconnectState {
  readonly applications = new Map<string, string>()
  readonly sessions = new Map<string, Session>()
  readonly #users = new Map<string, User>()
  readonly #links = new Map<string, Link>()
  readonly #nonces = new Map<string, number>()
  readonly #now: () => number
  readonly #changed: () => void

  constructor(now: () => number, changed: () => void) {
    this.#now = now
    this.#changed = changed
  }

  addApplication(id = randomBytes(16).toString('hex'), secret = newSecret()): { id: string; secret: string } {
    this.applications.set(id, secret)
    return { id, secret }
  }

  user(app: string, id: string): User | undefined {
    return this.#users.get(userKey(app, id))
  }

  users(): readonly User[] {
    return [...this.#users.values()]
  }

  /** True if there was none. */
  addUser(app: string, id: string): boolean {
    if (this.#users.has(userKey(app, id))) return false
    this.#users.set(userKey(app, id), { app, id, device: undefined })
    return true
  }

  deleteUser(app: string, id: string): void {
    const user = this.user(app, id)
    if (!user) return
    this.closeAll(user)
    for (const [token, link] of this.#links) if (link.user === user) this.#links.delete(token)
    this.#users.delete(userKey(app, id))
    this.#changed()
  }

  newLink(user: User, displayName: string): string {
    const token = randomBytes(16).toString('hex')
    this.#links.set(token, { user, displayName, expiresAt: this.#now() + KEEP_MS })
    return token
  }

  /** What a phone gets that opens a link. @throws SandboxError in the phone's own words. */
  openLink(token: string, name: string | undefined): User {
    const link = this.#links.get(token)
    if (!link || this.#users.get(userKey(link.user.app, link.user.id)) !== link.user) {
      throw new SandboxError('invalid', 'INVALID_TOKEN')
    }
    if (this.#now() > link.expiresAt) throw new SandboxError('conflict', 'EXPIRED')
    if (link.user.device) throw new SandboxError('conflict', 'EXISTING_MOBILE_DEVICE')
    this.#links.delete(token)
    const label = name ?? (link.displayName === '' ? `Phone of ${link.user.id}` : link.displayName)
    const id = `activeconnect-${randomBytes(8).toString('hex')}`
    link.user.device = { id, name: label, enrolledAt: this.#now(), presence: 'near' }
    return link.user
  }

  dropDevice(user: User): void {
    user.device = undefined
    this.closeAll(user)
    this.#changed()
  }

  /** Starts an authentication; an older one that is still open is cancelled. */
  start(user: User, methods: readonly string[], durationSeconds?: number): Session {
    for (const session of this.#sessionsOf(user)) {
      if (isOpen(this.current(session))) this.#end(session, 'cancelled')
    }
    const session: Session = {
      id: randomBytes(8).toString('hex'),
      user,
      token: randomBytes(16).toString('hex'),
      secret: newSecret(),
      methods,
      createdAt: this.#now(),
      durationMs: durationSeconds === undefined ? undefined : durationSeconds * 1000,
      approvedAt: undefined,
      status: 'pending',
      endedAt: undefined,
    }
    this.sessions.set(session.id, session)
    for (const id of this.sessions.keys()) {
      if (this.sessions.size <= SESSIONS_KEPT) break
      this.sessions.delete(id)
    }
    this.#changed()
    return session
  }

  /** A session by its id, unless it was forgotten. */
  session(id: string): Session | undefined {
    const session = this.sessions.get(id)
    if (!session) return undefined
    this.current(session)
    if (session.endedAt !== undefined && this.#now() - session.endedAt > KEEP_MS) {
      this.sessions.delete(id)
      return undefined
    }
    return session
  }

  /** The status now: a request that nobody answered has timed out, a session whose time is over was closed. */
  current(session: Session): ActiveconnectStatus {
    const { status, createdAt, approvedAt, durationMs } = session
    if (isOpen(status) && this.#now() - createdAt >= PENDING_MS) this.#end(session, 'timeout')
    const isLive = status === 'active' || status === 'walkaway'
    if (isLive && this.#now() - (approvedAt ?? createdAt) >= (durationMs ?? Number.POSITIVE_INFINITY))
      this.#end(session, 'closed')
    return session.status
  }

  /** @throws SandboxError `conflict` for a step that the service does not know. */
  move(session: Session, to: ActiveconnectStatus): void {
    const from = this.current(session)
    if (!(transitions[from] ?? []).includes(to)) {
      throw new SandboxError('conflict', `a session can't go from ${from} to ${to}`)
    }
    if (to === 'active') session.approvedAt ??= this.#now()
    if (transitions[to]) session.status = to
    else this.#end(session, to)
    this.#changed()
  }

  close(session: Session): void {
    if (transitions[this.current(session)]) this.#end(session, 'closed')
    this.#changed()
  }

  closeAll(user: User): void {
    for (const session of this.#sessionsOf(user)) this.close(session)
  }

  /** Carries the phone away or back: sessions that live on it follow. */
  setPresence(user: User, device: Device, presence: Presence): void {
    device.presence = presence
    for (const session of this.#sessionsOf(user)) {
      if (presence === 'away' && this.current(session) === 'active') this.move(session, 'walkaway')
      if (presence === 'near' && this.current(session) === 'walkaway') this.move(session, 'active')
    }
    this.#changed()
  }

  isNonceSeen(clientId: string, nonce: string): boolean {
    const until = this.#nonces.get(`${clientId}\n${nonce}`)
    return until !== undefined && this.#now() <= until
  }

  rememberNonce(clientId: string, nonce: string, forMs: number): void {
    const now = this.#now()
    for (const [key, until] of this.#nonces) {
      if (until >= now) break
      this.#nonces.delete(key)
    }
    this.#nonces.set(`${clientId}\n${nonce}`, now + forMs)
  }

  #sessionsOf(user: User): readonly Session[] {
    return [...this.sessions.values()].filter((session) => session.user === user)
  }

  #end(session: Session, status: ActiveconnectStatus): void {
    session.status = status
    session.endedAt = this.#now()
  }
}

function isOpen(status: ActiveconnectStatus): boolean {
  return status === 'pending' || status === 'identifying'
}

// 32 characters of the base64 alphabet: 24 bytes in dialect `documented`, and 32 characters in `shipped`.
function newSecret(): string {
  return sandboxSecretPrefix + randomBytes(13).toString('hex').slice(0, 25)
}

function userKey(app: string, id: string): string {
  return JSON.stringify([app, id])
}

import type {
  InsertOutcome,
  NewUser,
  UpdateOutcome,
  UserChanges,
  UserCondition,
  UserPage,
  UserRecord,
  UserStore,
} from '../users/user-store.js'

interface Row {
  readonly user: UserRecord
  readonly emailKey: string
  readonly phoneKey: string | null
}

/** Users in the memory of one process: for tests and for trying things out. Everything is gone with the process. */
export class MemoryUserStore implements UserStore {
  readonly #rows = new Map<number, Row>()
  readonly #byEmail = new Map<string, number>()
  readonly #byPhone = new Map<string, number>()
  #lastId = 0

  async findById(id: number): Promise<UserRecord | undefined> {
    return this.#rows.get(id)?.user
  }

  async findByEmail(emailKey: string): Promise<UserRecord | undefined> {
    return this.#rows.get(this.#byEmail.get(emailKey) ?? 0)?.user
  }

  async findByPhone(phoneKey: string): Promise<UserRecord | undefined> {
    return this.#rows.get(this.#byPhone.get(phoneKey) ?? 0)?.user
  }

  async insert(user: NewUser): Promise<InsertOutcome> {
    const { emailKey, phoneKey, at, ...given } = user
    const id = user.id ?? this.#lastId + 1
    if (this.#rows.has(id) || this.#isTaken(undefined, emailKey, phoneKey)) return { ok: false, reason: 'taken' }
    this.#lastId = Math.max(this.#lastId, id)
    const times = { lastLoginAt: at, createdAt: at, updatedAt: at }
    const record = freeze({ ...given, ...times, id, epoch: 0 })
    this.#put({ user: record, emailKey, phoneKey })
    return { ok: true, user: record }
  }

  async update(id: number, changes: UserChanges, condition: UserCondition): Promise<UpdateOutcome> {
    const row = this.#rows.get(id)
    if (row === undefined) return { ok: false, reason: 'missing' }
    if (condition.ifEpoch !== undefined && condition.ifEpoch !== row.user.epoch) return { ok: false, reason: 'stale' }
    const next = change(row, changes, condition.at)
    if (this.#isTaken(id, next.emailKey, next.phoneKey)) return { ok: false, reason: 'taken' }
    if (isAdmin(row.user) && !isAdmin(next.user) && !this.#hasOtherAdmin(id)) return { ok: false, reason: 'last-admin' }
    this.#drop(row)
    this.#put(next)
    return { ok: true, user: next.user }
  }

  async list({ afterId, limit, search }: UserPage): Promise<readonly UserRecord[]> {
    const rows = [...this.#rows.values()].filter(({ user }) => user.id > afterId)
    const found = search === undefined ? rows : rows.filter((row) => matches(row, search.toLowerCase()))
    const users = found.map(({ user }) => user).sort((a, b) => a.id - b.id)
    return users.slice(0, limit)
  }

  async erase(id: number): Promise<boolean> {
    const row = this.#rows.get(id)
    if (row === undefined) return false
    this.#drop(row)
    return true
  }

  #isTaken(id: number | undefined, emailKey: string, phoneKey: string | null): boolean {
    const byEmail = this.#byEmail.get(emailKey)
    const byPhone = phoneKey === null ? undefined : this.#byPhone.get(phoneKey)
    return [byEmail, byPhone].some((owner) => owner !== undefined && owner !== id)
  }

  #hasOtherAdmin(id: number): boolean {
    return [...this.#rows.values()].some(({ user }) => user.id !== id && isAdmin(user))
  }

  #put(row: Row): void {
    this.#rows.set(row.user.id, row)
    this.#byEmail.set(row.emailKey, row.user.id)
    if (row.phoneKey !== null) this.#byPhone.set(row.phoneKey, row.user.id)
  }

  #drop(row: Row): void {
    this.#rows.delete(row.user.id)
    this.#byEmail.delete(row.emailKey)
    if (row.phoneKey !== null) this.#byPhone.delete(row.phoneKey)
  }
}

function change(row: Row, changes: UserChanges, at: number): Row {
  const { email, phone, endSessions, ...rest } = changes
  const user = freeze({
    ...row.user,
    ...rest,
    email: email?.text ?? row.user.email,
    phone: phone === undefined ? row.user.phone : phone.text,
    epoch: row.user.epoch + (endSessions === true ? 1 : 0),
    updatedAt: at,
  })
  return { user, emailKey: email?.key ?? row.emailKey, phoneKey: phone === undefined ? row.phoneKey : phone.key }
}

function matches({ user, emailKey, phoneKey }: Row, search: string): boolean {
  const texts = [emailKey, phoneKey, user.firstName, user.lastName]
  return texts.some((text) => text?.toLowerCase().includes(search) === true)
}

function isAdmin(user: UserRecord): boolean {
  return user.isActive && user.roles.includes('admin')
}

// Callers get the record itself; frozen, it stays what was stored.
function freeze(user: UserRecord): UserRecord {
  return Object.freeze({ ...user, roles: Object.freeze([...user.roles]) })
}

/** A user as a store holds it. Times are milliseconds since the epoch. */
export interface UserRecord {
  /** 1 to 2147483647, given by the store, never used twice. */
  readonly id: number
  /** As it was given. Compared by {@link emailKey}. */
  readonly email: string
  /** As it was given, or null. */
  readonly phone: string | null
  readonly firstName: string | null
  readonly lastName: string | null
  /** A password hash that names its own algorithm, or null: then there is no login by password. */
  readonly passwordHash: string | null
  readonly isActive: boolean
  readonly roles: readonly string[]
  readonly lastLoginAt: number
  readonly createdAt: number
  readonly updatedAt: number
  /**
   * Counts the events that end the sessions of the user: a new password, a deactivation, "end all sessions". A session
   * that was begun under another count is over. It lies in the row, so that the event and the end are one write.
   */
  readonly epoch: number
}

/** A user to be inserted. */
export interface NewUser {
  /** Only to take users over from elsewhere; an id that is there already is `taken`. Default: the next one. */
  readonly id?: number
  readonly email: string
  /** What `email` is compared by: unique among all users, deactivated ones included. */
  readonly emailKey: string
  readonly phone: string | null
  /** What `phone` is compared by: unique where it isn't null. */
  readonly phoneKey: string | null
  readonly firstName: string | null
  readonly lastName: string | null
  readonly passwordHash: string | null
  readonly isActive: boolean
  readonly roles: readonly string[]
  /** Creation, update and last login time. */
  readonly at: number
}

/** What may be changed of a user. A member that is left out stays. */
export interface UserChanges {
  readonly email?: { readonly text: string; readonly key: string }
  readonly phone?: { readonly text: string | null; readonly key: string | null }
  readonly firstName?: string | null
  readonly lastName?: string | null
  readonly passwordHash?: string | null
  readonly isActive?: boolean
  readonly roles?: readonly string[]
  readonly lastLoginAt?: number
  /** Adds one to `epoch`: all sessions of the user are over. */
  readonly endSessions?: true
}

/** When a change is made. */
export interface UserCondition {
  /** Becomes `updatedAt`. */
  readonly at: number
  /** Only if `epoch` still is this. */
  readonly ifEpoch?: number
}

/** A part of the list of users. */
export interface UserPage {
  readonly afterId: number
  readonly limit: number
  readonly search?: string
}

/** What came of an insert. */
export type InsertOutcome =
  { readonly ok: true; readonly user: UserRecord } | { readonly ok: false; readonly reason: 'taken' }

/**
 * What came of an update: `taken` if the e-mail address or the phone belongs to somebody else, `last-admin` if no active
 * administrator would be left, `stale` if the condition didn't hold.
 */
export type UpdateOutcome =
  | { readonly ok: true; readonly user: UserRecord }
  | { readonly ok: false; readonly reason: 'missing' | 'taken' | 'last-admin' | 'stale' }

/**
 * The users, in a relational store. A port: `MemoryUserStore` (tests, trying out) is in `passport-outofband/stores`,
 * `SqlUserStore` in `passport-outofband/stores/sql`.
 *
 * What every adapter promises:
 * - Each method is one atomic step, also between processes: of many simultaneous inserts with one `emailKey` (or
 *   `phoneKey`) exactly one succeeds, because the store has a constraint and doesn't merely look first.
 * - A write that was acknowledged survives a crash; one that wasn't has happened wholly or not at all.
 * - An update that would leave no active user with the role `admin`, where there was one, does nothing, also when two
 *   administrators demote each other at the same time.
 * - A store that can't answer rejects with `StoreUnavailableError`.
 */
export interface UserStore {
  findById(id: number): Promise<UserRecord | undefined>
  findByEmail(emailKey: string): Promise<UserRecord | undefined>
  findByPhone(phoneKey: string): Promise<UserRecord | undefined>
  insert(user: NewUser): Promise<InsertOutcome>
  update(id: number, changes: UserChanges, condition: UserCondition): Promise<UpdateOutcome>
  /**
   * Users in the order of their ids, beginning after `afterId`; `limit` is 1 to 500. With `search`, those whose address,
   * number, first or last name contains it; the case of the letters A to Z doesn't matter.
   */
  list(page: UserPage): Promise<readonly UserRecord[]>
  /** Removes a user for good, for the duty to erase personal data. False if there was none. Deactivation is `update`. */
  erase(id: number): Promise<boolean>
}

/** Addresses are compared in lower case, unchanged otherwise. */
export function emailKey(email: string): string {
  return email.toLowerCase()
}

import type { UserRecord } from './user-store.js'

/** A user as an application sees them: without the password's hash. */
export type PublicUser = Omit<UserRecord, 'passwordHash' | 'epoch'> & {
  /**
   * Names the user in a session of the application's own (`passport.serializeUser`), and is worth nothing any more as soon
   * as the user's sessions have ended: after a new password, a deactivation, "end all sessions". It proves nothing by
   * itself; see `accounts.findBySession`.
   */
  readonly sessionKey: string
}

export function publicUser(record: UserRecord): PublicUser {
  const { passwordHash: _hash, epoch, ...user } = record
  return { ...user, sessionKey: `${user.id}.${epoch}` }
}

/** The id of a user, in decimal, and the epoch, of a session key. */
export function readSessionKey(key: unknown): { readonly id: string; readonly epoch: number } | undefined {
  const [, id, epoch] = typeof key === 'string' ? (/^([1-9]\d{0,9})\.(\d{1,10})$/.exec(key) ?? []) : []
  return id === undefined ? undefined : { id, epoch: Number(epoch) }
}

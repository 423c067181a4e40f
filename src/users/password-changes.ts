import type { IncomingMessage } from 'node:http'
import { hasRole, notify, type ServiceContext } from './context.js'
import { checkNewPassword } from './password-policy.js'
import { refusals } from './refusal.js'
import { admit, failed } from './sign-in.js'
import { emailKey, type UserRecord } from './user-store.js'

/** Proves the password of somebody who is signed in. A wrong one counts as a failed login. */
export async function provePassword(
  context: ServiceContext,
  req: IncomingMessage,
  user: UserRecord,
  password: string,
): Promise<void> {
  const client = context.settings.clientOf(req)
  const attempt = await admit(context, req, { client, email: user.email, user })
  if (!(await context.passwords.verify(user.passwordHash, password, emailKey(user.email)))) {
    await failed(context, attempt, user, 'current password')
  }
  await context.limits.clear('login', attempt.subject)
}

/**
 * Sets a password; the hash and the end of all sessions are one write. `andThen` runs next, for the session that is to go
 * on.
 */
export async function setPassword(
  context: ServiceContext,
  target: UserRecord,
  change: {
    readonly password: string
    readonly actorId: number
    readonly andThen?: (user: UserRecord, at: number) => Promise<void>
  },
): Promise<UserRecord> {
  await checkNewPassword(context.settings.policy, change.password, target.email)
  const at = context.now()
  const passwordHash = await context.passwords.hash(change.password)
  const changes = { passwordHash, endSessions: true } as const
  const outcome = await context.store.update(target.id, changes, { at, ifEpoch: target.epoch })
  if (!outcome.ok) throw refusals.blacklisted()
  await change.andThen?.(outcome.user, at)
  await context.resets.drop(target.id)
  passwordChanged(context, outcome.user, { type: 'password.changed', actorId: change.actorId })
  return outcome.user
}

/** Tells the audit trail, and the user. */
export function passwordChanged(
  context: ServiceContext,
  user: UserRecord,
  event: { readonly type: 'password.changed' | 'password.reset'; readonly actorId?: number },
): void {
  context.emit({ ...event, userId: user.id })
  if (!hasRole(user, 'service'))
    notify(context, user.email, 'password_changed', 'Your password was changed', user.firstName)
}

import type { JsonObject } from '../approval/json.js'
import { hasRole, notify, optionalString, type ServiceContext } from './context.js'
import { maskEmail, normalPhone } from './phone-number.js'
import { problem, refusals, type Refusal } from './refusal.js'
import { keyOf, newEmail, phoneOf, requirePhoneMark } from './registration.js'
import { member, stringMember } from './schema.js'
import { emailKey, type UpdateOutcome, type UserChanges, type UserRecord } from './user-store.js'

/**
 * What a body changes of a user: a fixed list of names, each taken by hand, so that whatever else it holds is not looked
 * at.
 */
export function changesOf(
  context: ServiceContext,
  actor: UserRecord,
  target: UserRecord,
  body: JsonObject,
): UserChanges {
  const email = stringMember(body, 'email')
  const phone = optionalString(body, 'phone')
  const firstName = optionalString(body, 'first_name')
  const lastName = optionalString(body, 'last_name')
  const isActive = member(body, 'is_active')
  const mayActivate = hasRole(actor, 'admin') && actor.id !== target.id && typeof isActive === 'boolean'
  return {
    ...(email === target.email ? {} : { email: { text: newEmail(email), key: emailKey(email) } }),
    ...(phone === undefined || phone === target.phone ? {} : { phone: phoneOf(context, phone) }),
    ...(firstName === undefined || firstName === target.firstName ? {} : { firstName }),
    ...(lastName === undefined || lastName === target.lastName ? {} : { lastName }),
    ...(!mayActivate || isActive === target.isActive ? {} : isActive ? { isActive } : { isActive, endSessions: true }),
  }
}

/** Whether another address or number is in it. */
export function movesContact(target: UserRecord, changes: UserChanges): boolean {
  const email = changes.email !== undefined && changes.email.key !== emailKey(target.email)
  const phone = changes.phone !== undefined && changes.phone.text !== target.phone
  return email || phone
}

/** Changes a user, with everything that follows from it: proof of a new number, notices, events. */
export async function changeUser(
  context: ServiceContext,
  actor: UserRecord,
  target: UserRecord,
  changes: UserChanges,
): Promise<UserRecord> {
  // The answer tells whether an address or a number is taken, so nobody may ask for more than a person needs.
  if (actor.id === target.id && movesContact(target, changes)) {
    await context.limits.require('contact', String(target.id), context.settings.limits.contactPerUser)
  }
  const phoneKey = changes.phone?.key ?? null
  if (phoneKey !== null && phoneKey !== keyOf(context, target.phone)) {
    await requirePhoneMark(context, phoneKey, target.id)
  }
  if (Object.keys(changes).length === 0) return target
  const user = settled(await context.store.update(target.id, changes, { at: context.now() }), target)
  await afterChange(context, actor, target, user)
  return user
}

async function afterChange(
  context: ServiceContext,
  actor: UserRecord,
  before: UserRecord,
  after: UserRecord,
): Promise<void> {
  const about = { userId: after.id, actorId: actor.id }
  if (emailKey(before.email) !== emailKey(after.email)) {
    await context.resets.drop(after.id)
    context.emit({ ...about, type: 'email.changed', destination: maskEmail(after.email) })
    notify(context, before.email, 'email_changed', 'Your e-mail address was changed', before.firstName)
  }
  if (before.phone !== after.phone) {
    context.emit({ ...about, type: 'phone.changed' })
    notify(context, after.email, 'phone_changed', 'Your phone number was changed', after.firstName)
  }
  if (before.isActive !== after.isActive) {
    context.emit({ ...about, type: after.isActive ? 'user.reactivated' : 'user.deactivated' })
    if (!after.isActive) await forget(context, after)
  }
  context.emit({ ...about, type: 'user.updated' })
}

/** What must die with a deactivation: reset tokens and phone codes that are out. */
async function forget(context: ServiceContext, user: UserRecord): Promise<void> {
  await context.resets.drop(user.id)
  const number = user.phone === null ? undefined : normalPhone(user.phone)
  if (number !== undefined) await context.verification?.drop(number)
}

function settled(outcome: UpdateOutcome, target: UserRecord): UserRecord {
  if (outcome.ok) return outcome.user
  throw refusalOf(outcome.reason, target)
}

function refusalOf(reason: 'missing' | 'taken' | 'last-admin' | 'stale', target: UserRecord): Refusal {
  if (reason === 'taken') return refusals.alreadyExists()
  if (reason === 'last-admin') return problem(400, 'The last active administrator cannot be removed')
  return refusals.noSuchUser(String(target.id))
}

/** Makes a user inactive, which ends all their sessions. Again, it does nothing. */
export async function deactivate(context: ServiceContext, actor: UserRecord, target: UserRecord): Promise<UserRecord> {
  const user = target.isActive
    ? settled(
        await context.store.update(target.id, { isActive: false, endSessions: true }, { at: context.now() }),
        target,
      )
    : target
  if (target.isActive) context.emit({ type: 'user.deactivated', userId: target.id, actorId: actor.id })
  await forget(context, target)
  return user
}

/** Replaces the roles of a user. */
export async function changeRoles(
  context: ServiceContext,
  actor: UserRecord,
  target: UserRecord,
  roles: readonly string[],
): Promise<UserRecord> {
  const user = settled(await context.store.update(target.id, { roles }, { at: context.now() }), target)
  const reason = roles.join(',').slice(0, 200)
  context.emit({ type: 'roles.changed', userId: user.id, actorId: actor.id, reason })
  return user
}

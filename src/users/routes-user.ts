import type { IncomingMessage } from 'node:http'
import type { JsonObject } from '../approval/json.js'
import {
  authorised,
  authorisedWithBody,
  findTarget,
  findUser,
  hasRole,
  isFresh,
  mayChange,
  notify,
  objectBody,
  optionalString,
  type ServiceContext,
} from './context.js'
import { readBody, type Body } from './body.js'
import { maskEmail, normalPhone, phoneKey } from './phone-number.js'
import { pythonString } from './python-text.js'
import { problem, refusals, type Answer, type Refusal } from './refusal.js'
import { patchUserBody, registerBody, rolesBody } from './request-schemas.js'
import { registerQuietly } from './quiet-registration.js'
import { checkNewPassword } from './password-policy.js'
import type { Call, Route } from './routing.js'
import { member, stringMember } from './schema.js'
import type { Caller } from './tokens.js'
import { emailKey, type UpdateOutcome, type UserChanges, type UserRecord } from './user-store.js'
import { userView } from './user-view.js'

export function userRoutes(context: ServiceContext): readonly Route[] {
  return [
    { method: 'POST', path: '/user/', handle: ({ req }) => register(context, req) },
    { method: 'GET', path: '/user/{user_id}/', handle: (call) => getUser(context, call) },
    { method: 'PATCH', path: '/user/{user_id}/', handle: (call) => patchUser(context, call) },
    { method: 'DELETE', path: '/user/{user_id}/', handle: (call) => deleteUser(context, call) },
    { method: 'GET', path: '/user/{user_id}/role/', handle: (call) => getRoles(context, call) },
    { method: 'PATCH', path: '/user/{user_id}/role/', handle: (call) => patchRoles(context, call) },
  ]
}

async function register(context: ServiceContext, req: IncomingMessage): Promise<Answer> {
  const { settings, limits } = context
  const client = settings.clientOf(req)
  const body = await objectBody(context, req, registerBody)
  await limits.require('register', client, settings.limits.registrationPerClient)
  const email = newEmail(stringMember(body, 'email'))
  const password = optionalString(body, 'password') ?? null
  if (password !== null) await checkNewPassword(settings.policy, password, email)
  const names = {
    firstName: optionalString(body, 'first_name') ?? null,
    lastName: optionalString(body, 'last_name') ?? null,
  }
  if (settings.registration === 'quiet') return registerQuietly(context, { email, client, ...names })
  const phone = phoneOf(context, optionalString(body, 'phone') ?? null)
  // A look before the hash saves its cost; the store's constraint decides.
  if (await isTaken(context, email, phone.key)) return refuseTaken(context, client, email)
  await requirePhoneMark(context, phone.text, undefined)
  const passwordHash = password === null ? null : await context.passwords.hash(password)
  const inserted = await context.store.insert({
    email,
    emailKey: emailKey(email),
    phone: phone.text,
    phoneKey: phone.key,
    ...names,
    passwordHash,
    isActive: true,
    roles: [],
    at: context.now(),
  })
  if (!inserted.ok) return refuseTaken(context, client, email)
  const token = await context.tokens.issue(inserted.user, client)
  const headers = await context.devices.remember(client, inserted.user)
  context.emit({ type: 'registered', userId: inserted.user.id, client })
  return { status: 201, body: { ...userView(inserted.user), access_token: token }, headers }
}

function refuseTaken(context: ServiceContext, client: string, email: string): never {
  context.emit({ type: 'registration.refused', client, destination: maskEmail(email), reason: 'taken' })
  throw refusals.alreadyExists()
}

async function isTaken(context: ServiceContext, email: string, phone: string | null): Promise<boolean> {
  if ((await context.store.findByEmail(emailKey(email))) !== undefined) return true
  return phone !== null && (await context.store.findByPhone(phone)) !== undefined
}

async function requirePhoneMark(
  context: ServiceContext,
  phone: string | null,
  userId: number | undefined,
): Promise<void> {
  const { registration, phoneMustBeVerified } = context.settings
  if (phone === null ? registration !== 'phone' || userId !== undefined : !phoneMustBeVerified) return
  const number = phone === null ? undefined : normalPhone(phone)
  if (number === undefined || !(await context.phoneMarks.take(number, userId))) throw refusals.invalidPhoneCode()
}

async function getUser(context: ServiceContext, call: Call): Promise<Answer> {
  return authorised(context, call, async (caller) => {
    const user = await findTarget(context, caller, call.params[0] ?? '')
    return { status: 200, body: userView(user) }
  })
}

async function patchUser(context: ServiceContext, call: Call): Promise<Answer> {
  const read = (req: IncomingMessage): Promise<JsonObject> => objectBody(context, req, patchUserBody)
  return authorisedWithBody(context, call, read, async (caller, body) => {
    const target = await findTarget(context, caller, call.params[0] ?? '')
    mayChange(caller, target)
    const changes = changesOf(context, caller, target, body)
    const contact = changes.email !== undefined || changes.phone !== undefined
    const movesContact = contact && movedContact(target, changes)
    if (movesContact && caller.user.id === target.id && !isFresh(context, caller)) throw refusals.reauthenticate()
    const phoneKey = changes.phone?.key ?? null
    if (phoneKey !== null && phoneKey !== keyOf(context, target.phone)) {
      await requirePhoneMark(context, phoneKey, target.id)
    }
    if (Object.keys(changes).length === 0) return { status: 200, body: userView(target) }
    const user = settled(await context.store.update(target.id, changes, { at: context.now() }), target)
    await afterPatch(context, caller, target, user)
    return { status: 200, body: userView(user) }
  })
}

// A fixed list of names, each taken by hand: whatever else the body holds is not looked at.
function changesOf(context: ServiceContext, caller: Caller, target: UserRecord, body: JsonObject): UserChanges {
  const email = stringMember(body, 'email')
  const phone = optionalString(body, 'phone')
  const firstName = optionalString(body, 'first_name')
  const lastName = optionalString(body, 'last_name')
  const isActive = member(body, 'is_active')
  const mayActivate = hasRole(caller.user, 'admin') && caller.user.id !== target.id && typeof isActive === 'boolean'
  return {
    ...(email === target.email ? {} : { email: { text: newEmail(email), key: emailKey(email) } }),
    ...(phone === undefined || phone === target.phone ? {} : { phone: phoneOf(context, phone) }),
    ...(firstName === undefined || firstName === target.firstName ? {} : { firstName }),
    ...(lastName === undefined || lastName === target.lastName ? {} : { lastName }),
    ...(!mayActivate || isActive === target.isActive ? {} : isActive ? { isActive } : { isActive, endSessions: true }),
  }
}

function movedContact(target: UserRecord, changes: UserChanges): boolean {
  const email = changes.email !== undefined && changes.email.key !== emailKey(target.email)
  const phone = changes.phone !== undefined && changes.phone.text !== target.phone
  return email || phone
}

async function afterPatch(
  context: ServiceContext,
  caller: Caller,
  before: UserRecord,
  after: UserRecord,
): Promise<void> {
  const about = { userId: after.id, actorId: caller.user.id }
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

async function deleteUser(context: ServiceContext, call: Call): Promise<Answer> {
  return authorised(context, call, async (caller) => {
    if (!hasRole(caller.user, 'admin')) throw refusals.missingRole('admin')
    const userId = call.params[0] ?? ''
    const target = await findUser(context, userId)
    if (target === undefined) throw refusals.noSuchUser(userId)
    if (target.isActive) {
      const outcome = await context.store.update(
        target.id,
        { isActive: false, endSessions: true },
        { at: context.now() },
      )
      settled(outcome, target)
      context.emit({ type: 'user.deactivated', userId: target.id, actorId: caller.user.id })
    }
    await forget(context, target)
    return { status: 204 }
  })
}

async function getRoles(context: ServiceContext, call: Call): Promise<Answer> {
  return authorised(context, call, async (caller) => {
    const user = await findTarget(context, caller, call.params[0] ?? '')
    return { status: 200, body: [...user.roles] }
  })
}

async function patchRoles(context: ServiceContext, call: Call): Promise<Answer> {
  const read = (req: IncomingMessage): Promise<Body> => readBody(req, rolesBody, context.settings.maxBodyBytes)
  return authorisedWithBody(context, call, read, async (caller, { value }) => {
    if (!hasRole(caller.user, 'admin')) throw refusals.missingRole('admin')
    const target = await findTarget(context, caller, call.params[0] ?? '')
    const roles = (Array.isArray(value) ? value : []).filter((role) => typeof role === 'string')
    const user = settled(await context.store.update(target.id, { roles }, { at: context.now() }), target)
    context.emit({
      type: 'roles.changed',
      userId: user.id,
      actorId: caller.user.id,
      reason: roles.join(',').slice(0, 200),
    })
    return { status: 200, body: [...user.roles] }
  })
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

/** A new address has something on both sides of an `@`, no blanks, no control characters, and 254 characters at most. */
function newEmail(email: string): string {
  const ok = email.length <= 254 && /^[^\s\p{C}]+@[^\s\p{C}]+$/u.test(email)
  if (!ok) throw problem(400, `${pythonString(email.slice(0, 300))} is not a 'email'`)
  return email
}

function phoneOf(
  context: ServiceContext,
  text: string | null,
): { readonly text: string | null; readonly key: string | null } {
  return { text, key: keyOf(context, text) }
}

// Test numbers may belong to many; an empty text belongs to nobody.
function keyOf(context: ServiceContext, text: string | null): string | null {
  if (text === null || text.trim() === '' || context.settings.testNumbers.has(phoneKey(text))) return null
  return phoneKey(text)
}

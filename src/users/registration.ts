import type { IncomingMessage } from 'node:http'
import type { JsonObject } from '../approval/json.js'
import { optionalString, type ServiceContext } from './context.js'
import { checkNewPassword } from './password-policy.js'
import { maskEmail, normalPhone, phoneKey } from './phone-number.js'
import { pythonString } from './python-text.js'
import { registerQuietly } from './quiet-registration.js'
import { problem, refusals } from './refusal.js'
import { stringMember } from './schema.js'
import { emailKey, type UserRecord } from './user-store.js'

/** Somebody who has just registered. */
export interface Registered {
  readonly user: UserRecord
  readonly client: string
  /** Makes the device a known one. */
  readonly headers: Readonly<Record<string, string>>
}

/** Makes an account of a body of the registration. Undefined in the quiet mode, which tells nobody what came of it. */
export async function register(
  context: ServiceContext,
  req: IncomingMessage,
  body: JsonObject,
): Promise<Registered | undefined> {
  const { settings, limits } = context
  const client = settings.clientOf(req)
  await limits.require('register', client, settings.limits.registrationPerClient)
  const email = newEmail(stringMember(body, 'email'))
  const password = optionalString(body, 'password') ?? null
  if (password !== null) await checkNewPassword(settings.policy, password, email)
  const names = {
    firstName: optionalString(body, 'first_name') ?? null,
    lastName: optionalString(body, 'last_name') ?? null,
  }
  if (settings.registration === 'quiet') {
    registerQuietly(context, { email, client, ...names })
    return undefined
  }
  const phone = phoneOf(context, optionalString(body, 'phone') ?? null)
  // Before anybody is looked up: else one could ask for addresses without a number of one's own.
  await requirePhoneMark(context, phone.text, undefined)
  // A look before the hash saves its cost; the store's constraint decides.
  if (await isTaken(context, email, phone.key)) return refuseTaken(context, client, email)
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
  const headers = await context.devices.remember(client, inserted.user)
  context.emit({ type: 'registered', userId: inserted.user.id, client })
  return { user: inserted.user, client, headers }
}

function refuseTaken(context: ServiceContext, client: string, email: string): never {
  context.emit({ type: 'registration.refused', client, destination: maskEmail(email), reason: 'taken' })
  throw refusals.alreadyExists()
}

async function isTaken(context: ServiceContext, email: string, phone: string | null): Promise<boolean> {
  if ((await context.store.findByEmail(emailKey(email))) !== undefined) return true
  return phone !== null && (await context.store.findByPhone(phone)) !== undefined
}

/** Uses up the proof that a number is somebody's, where one is asked for. */
export async function requirePhoneMark(
  context: ServiceContext,
  phone: string | null,
  userId: number | undefined,
): Promise<void> {
  const { registration, phoneMustBeVerified } = context.settings
  if (phone === null ? registration !== 'phone' || userId !== undefined : !phoneMustBeVerified) return
  const number = phone === null ? undefined : normalPhone(phone)
  if (number === undefined || !(await context.phoneMarks.take(number, userId))) throw refusals.invalidPhoneCode()
}

/**
 * A new address has something on both sides of an `@`, no blanks, no control characters, and 254 characters at most. The
 * signs that part addresses in a mail's header are no part of one either: a list of them would be mailed to all.
 */
export function newEmail(email: string): string {
  const ok = email.length <= 254 && /^[^\s\p{C},;<>]+@[^\s\p{C},;<>]+$/u.test(email)
  if (!ok) throw problem(400, `${pythonString(email.slice(0, 300))} is not a 'email'`)
  return email
}

/** A phone as it is stored: the text, and what it is compared by. */
export function phoneOf(
  context: ServiceContext,
  text: string | null,
): { readonly text: string | null; readonly key: string | null } {
  return { text, key: keyOf(context, text) }
}

// Test numbers may belong to many; an empty text belongs to nobody.
export function keyOf(context: ServiceContext, text: string | null): string | null {
  if (text === null || text.trim() === '' || context.settings.testNumbers.has(phoneKey(text))) return null
  return phoneKey(text)
}

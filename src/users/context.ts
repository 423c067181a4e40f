import type { IncomingMessage } from 'node:http'
import type { JsonObject } from '../approval/json.js'
import type { Background } from './background.js'
import { readBody } from './body.js'
import { nameForMail } from './mail-name.js'
import type { Devices } from './devices.js'
import type { UserEvent } from './events.js'
import type { Limit, Limits } from './limits.js'
import type { PasswordPolicy } from './password-policy.js'
import type { Passwords } from './password-hasher.js'
import { problem, refusals, refused, type Answer } from './refusal.js'
import type { ResetTokens } from './reset.js'
import type { Call } from './routing.js'
import { isObject, member, type Schema } from './schema.js'
import type { SecondFactor } from './second-factor.js'
import type { MailSender } from './senders.js'
import type { Sessions } from './sessions.js'
import type { Caller, Tokens } from './tokens.js'
import type { UserRecord, UserStore } from './user-store.js'
import type { PhoneVerification } from './verification.js'

/** All limits of the service; each has a default. */
export interface ServiceLimits {
  /** Failed logins of one account (or of one known device of it). */
  readonly login: Limit
  /** Failed logins from one address, whatever the account. */
  readonly loginPerClient: Limit
  /** Failed logins altogether. Known devices are let through. */
  readonly loginGlobal: Limit
  readonly registrationPerClient: Limit
  /** Changes of the own address or number, tried by one user. */
  readonly contactPerUser: Limit
  /** Mails to one address; over it, silently none. */
  readonly reset: Limit
  readonly resetPerClient: Limit
  readonly confirmPerClient: Limit
  /** Codes to one number. */
  readonly phone: Limit
  readonly phonePerClient: Limit
  readonly phonePerCountry: Limit
  readonly phoneGlobal: Limit
  /** Tries of codes from one address. */
  readonly phoneConfirmPerClient: Limit
  /** Tries of codes of one number, over all codes. */
  readonly phoneConfirm: Limit
}

/** What the routes need to know of the options. */
export interface ServiceSettings {
  readonly namespace: string
  readonly maxBodyBytes: number
  readonly freshSeconds: number
  readonly setPasswordOfOthers: boolean
  readonly strictMembers: boolean
  readonly policy: PasswordPolicy
  readonly limits: ServiceLimits
  readonly registration: 'open' | 'quiet' | 'phone'
  readonly registrationUrlTemplate: string | undefined
  readonly phoneMustBeVerified: boolean
  readonly resetOrigins: ReadonlySet<string>
  readonly mailFrom: string
  readonly resetSubject: string
  readonly resendSeconds: number
  readonly verifiedSeconds: number
  readonly testNumbers: ReadonlySet<string>
  readonly allowedCallingCodes: ReadonlySet<string> | undefined
  readonly allowNumber: ((phone: string) => boolean | Promise<boolean>) | undefined
  readonly wire: { readonly libraryTexts: boolean; readonly tellUnknownAddress: boolean }
  readonly clientOf: (req: IncomingMessage) => string
}

/** Everything that the routes work with. */
export interface ServiceContext {
  readonly settings: ServiceSettings
  readonly store: UserStore
  readonly sessions: Sessions
  readonly tokens: Tokens
  readonly passwords: Passwords
  readonly limits: Limits
  readonly devices: Devices
  readonly resets: ResetTokens
  readonly verification: PhoneVerification | undefined
  readonly phoneMarks: PhoneMarks
  readonly mail: MailSender | undefined
  readonly notices: MailSender | undefined
  readonly secondFactor: SecondFactor | undefined
  readonly background: Background
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly emit: (event: Omit<UserEvent, 'at'>) => void
}

/** Numbers that were verified a moment ago. */
export interface PhoneMarks {
  /** `userId` binds the mark to that user. */
  set(phone: string, userId: number | undefined): Promise<void>
  /** Uses the mark up; false if there is none that this user (or, without one, anybody) may use. */
  take(phone: string, userId: number | undefined): Promise<boolean>
}

/** Reads a JSON object as a route's body. */
export async function objectBody(context: ServiceContext, req: IncomingMessage, schema: Schema): Promise<JsonObject> {
  const { value } = await readBody(req, schema, context.settings.maxBodyBytes)
  if (!isObject(value)) throw problem(400, 'Request body is not valid JSON')
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(schema.properties ?? {}, name))
  if (context.settings.strictMembers && unknown !== undefined)
    throw problem(400, 'The body has members that are not known')
  return value
}

/** A member that is a string, null, or not there. */
export function optionalString(body: JsonObject, name: string): string | null | undefined {
  const value = member(body, name)
  return typeof value === 'string' || value === null ? value : undefined
}

/** The bearer check of a protected route that takes no body. */
export async function authorised(
  context: ServiceContext,
  call: Call,
  handle: (caller: Caller) => Promise<Answer>,
  use: 'access' | 'logout' = 'access',
): Promise<Answer> {
  const { caller, checkForm } = await bearer(context, call.req, use)
  checkForm()
  return handle(caller)
}

/** The bearer check of a protected route with a body: the token first, then the body, then the header's exact form. */
export async function authorisedWithBody<Body>(
  context: ServiceContext,
  call: Call,
  read: (req: IncomingMessage) => Promise<Body>,
  handle: (caller: Caller, body: Body) => Promise<Answer>,
): Promise<Answer> {
  const { caller, checkForm } = await bearer(context, call.req, 'access')
  const body = await read(call.req)
  checkForm()
  return handle(caller, body)
}

// The original looks at the header twice, before and behind the body, and the second time the letter case counts.
async function bearer(
  context: ServiceContext,
  req: IncomingMessage,
  use: 'access' | 'logout',
): Promise<{ readonly caller: Caller; readonly checkForm: () => void }> {
  const header = (req.headers.authorization ?? '').trim()
  const [scheme = '', ...rest] = header.split(/\s+/)
  if (header !== '' && rest.length === 0) throw problem(401, 'Invalid authorization header')
  if (scheme.toLowerCase() !== 'bearer') throw problem(401, 'No authorization token provided')
  const caller = await context.tokens.check(header.slice(scheme.length).trim(), use)
  const checkForm = (): void => {
    if (scheme !== 'Bearer') throw refused(401, 'InvalidTokenHeader', 'JWT header structure is invalid')
  }
  return { caller, checkForm }
}

/** Whether a user has a role, as the store says now. */
export function hasRole(user: UserRecord, role: string): boolean {
  return user.roles.includes(role)
}

/** Who is meant by the `{user_id}` of a path. */
export async function findTarget(context: ServiceContext, caller: Caller, userId: string): Promise<UserRecord> {
  const isSelf = userId === 'current' || userId === String(caller.user.id)
  if (isSelf) return caller.user
  // Decided before anybody is looked up: a plain user learns nothing about which ids there are.
  if (!hasRole(caller.user, 'admin') && !hasRole(caller.user, 'service')) throw refusals.accessDenied()
  const user = await findUser(context, userId)
  if (user === undefined) throw refusals.noSuchUser(userId)
  return user
}

/** A user by the decimal form of their id, which has no leading zero. */
export async function findUser(context: ServiceContext, userId: string): Promise<UserRecord | undefined> {
  if (!/^[1-9]\d{0,9}$/.test(userId) || Number(userId) > 2_147_483_647) return undefined
  return context.store.findById(Number(userId))
}

/** `service` may change plain users and itself; whoever holds `admin` or `service` is out of its reach. */
export function mayChange(caller: Caller, target: UserRecord): void {
  if (caller.user.id === target.id || hasRole(caller.user, 'admin')) return
  if (hasRole(target, 'admin') || hasRole(target, 'service')) throw refusals.accessDenied()
}

/** Whether the password was proved in this session a moment ago. */
export function isFresh(context: ServiceContext, caller: Caller): boolean {
  const age = context.now() / 1000 - caller.session.authenticatedAt
  return age >= -60 && Math.floor(age) < context.settings.freshSeconds
}

/** Mails a user who has just learned, or should, that something about their account changed. */
export function notify(
  context: ServiceContext,
  to: string,
  template: string,
  subject: string,
  name: string | null,
): void {
  const { notices } = context
  if (notices === undefined) return
  const mail = {
    template,
    from: context.settings.mailFrom,
    to,
    subject,
    variables: { name: nameForMail(name) },
    tag: template,
  }
  context.background.start(`notice ${template}`, () => notices.send(mail))
}

import type { IncomingMessage } from 'node:http'
import { authorised, objectBody, optionalString, type ServiceContext } from './context.js'
import { maskEmail } from './phone-number.js'
import { Refusal, refusals, refused, tooMany, type Answer } from './refusal.js'
import { loginBody } from './request-schemas.js'
import { stringMember } from './schema.js'
import type { Call, Route } from './routing.js'
import { userView } from './user-view.js'
import { emailKey, type UserRecord } from './user-store.js'
import { Lanes } from './work-queue.js'

// Stands in for a user who doesn't exist, so that the same work is done for them.
const nobody: UserRecord = {
  id: 0,
  email: '',
  phone: null,
  firstName: null,
  lastName: null,
  passwordHash: null,
  isActive: false,
  roles: [],
  lastLoginAt: 0,
  createdAt: 0,
  updatedAt: 0,
  epoch: 0,
}

interface Attempt {
  readonly client: string
  readonly email: string
  /** What the failures are counted by. */
  readonly subject: string
  /** Failures of a known device count against nobody else. */
  readonly known: boolean
}

export function authRoutes(context: ServiceContext): readonly Route[] {
  const lanes = new Lanes()
  return [
    { method: 'POST', path: '/auth/login/', handle: ({ req }) => login(context, lanes, req) },
    { method: 'POST', path: '/auth/refresh/', handle: (call) => refresh(context, call) },
    { method: 'POST', path: '/auth/logout/', handle: (call) => logout(context, call) },
    { method: 'GET', path: '/auth/verify_token/', handle: (call) => verifyToken(context, call) },
  ]
}

async function login(context: ServiceContext, lanes: Lanes, req: IncomingMessage): Promise<Answer> {
  const client = context.settings.clientOf(req)
  const body = await objectBody(context, req, loginBody)
  const email = stringMember(body, 'email')
  const password = stringMember(body, 'password')
  const secondFactor = optionalString(body, 'second_factor') ?? undefined
  // One after the other for each account: a failure is counted before the next try is compared, and a burst of right
  // logins doesn't count itself out.
  return lanes.run(emailKey(email), async () => {
    const user = await findByEmail(context, email)
    const attempt = await admit(context, req, { client, email, user })
    await prove(context, attempt, user, password)
    if (user === undefined) throw refusals.authFailure()
    await context.limits.clear('login', attempt.subject)
    if (!user.isActive) throw refusals.invalidUser()
    await requireSecondFactor(context, attempt, user, secondFactor)
    return finishLogin(context, client, user, password)
  })
}

/** The user of an address. What can't be an address is nobody's, and is not put to the store. */
export async function findByEmail(context: ServiceContext, email: string): Promise<UserRecord | undefined> {
  if (email.length > 256 || /\p{Cc}|\p{Cs}/u.test(email)) return undefined
  return context.store.findByEmail(emailKey(email))
}

async function admit(
  context: ServiceContext,
  req: IncomingMessage,
  { client, email, user }: { readonly client: string; readonly email: string; readonly user: UserRecord | undefined },
): Promise<Attempt> {
  const { limits, settings, devices } = context
  const device = await devices.recognise(req, client, user ?? nobody)
  // The provisioned service account belongs to no person: by its account alone anybody could stop other services.
  const scope = device ?? (user?.roles.includes('service') === true ? `client:${client}` : '')
  const attempt = { client, email, subject: `${emailKey(email)} ${scope}`, known: device?.startsWith('mark:') === true }
  const waits = [
    attempt.known ? undefined : await limits.wait('login-client', client, settings.limits.loginPerClient),
    device === undefined ? await limits.wait('login-all', '', settings.limits.loginGlobal) : undefined,
    await limits.count('login', attempt.subject, settings.limits.login),
  ].filter((wait) => wait !== undefined)
  if (waits.length === 0) return attempt
  context.emit({ type: 'limited', client, destination: maskEmail(email), reason: 'login', ...idOf(user) })
  throw tooMany(Math.max(...waits))
}

async function prove(
  context: ServiceContext,
  attempt: Attempt,
  user: UserRecord | undefined,
  password: string,
): Promise<void> {
  if (await context.passwords.verify(user?.passwordHash ?? null, password)) return
  await failed(context, attempt, user, 'password')
}

async function failed(
  context: ServiceContext,
  attempt: Attempt,
  user: UserRecord | undefined,
  reason: string,
): Promise<never> {
  const { limits, settings } = context
  if (!attempt.known) await limits.count('login-client', attempt.client, settings.limits.loginPerClient)
  await limits.count('login-all', '', settings.limits.loginGlobal)
  context.emit({
    type: 'login.failed',
    client: attempt.client,
    destination: maskEmail(attempt.email),
    reason,
    ...idOf(user),
  })
  throw refusals.authFailure()
}

async function requireSecondFactor(
  context: ServiceContext,
  attempt: Attempt,
  user: UserRecord,
  response: string | undefined,
): Promise<void> {
  const { secondFactor } = context
  if (secondFactor === undefined) return
  const challenge = await secondFactor.challenge(user)
  if (challenge === undefined) return
  if (response === undefined) {
    const text = 'Repeat the login with second_factor'
    throw new Refusal({ status: 403, body: { ...challenge, code: 'SecondFactorRequired', description: text } })
  }
  const wait = await context.limits.count('second-factor', String(user.id), context.settings.limits.login)
  if (wait !== undefined) throw tooMany(wait)
  if (!(await secondFactor.verify(user, response))) await failed(context, attempt, user, 'second factor')
  await context.limits.clear('second-factor', String(user.id))
}

async function finishLogin(
  context: ServiceContext,
  client: string,
  user: UserRecord,
  password: string,
): Promise<Answer> {
  const { passwords, store, now } = context
  const stale = user.passwordHash !== null && passwords.needsRehash(user.passwordHash)
  const passwordHash = stale ? { passwordHash: await passwords.hash(password) } : {}
  const at = now()
  // If the password was changed while the old one was compared, the login was one with the old one.
  const updated = await store.update(user.id, { lastLoginAt: at, ...passwordHash }, { at, ifEpoch: user.epoch })
  if (!updated.ok) throw refusals.authFailure()
  if (!updated.user.isActive) throw refusals.invalidUser()
  await context.resets.drop(user.id)
  const token = await context.tokens.issue(updated.user, client)
  const headers = await context.devices.remember(client, updated.user)
  context.emit({ type: 'login', userId: user.id, client })
  return { status: 200, body: { ...userView(updated.user), access_token: token }, headers }
}

async function refresh(context: ServiceContext, { req }: Call): Promise<Answer> {
  const header = req.headers.authorization ?? ''
  if (header === '') throw refused(401, 'MissingTokenHeader', "JWT token not found in headers under 'Authorization'")
  const match = /^Bearer\s*([A-Za-z0-9_.-]+)/.exec(header)
  if (match === null) throw refused(401, 'InvalidTokenHeader', 'JWT header structure is invalid')
  const { token, user } = await context.tokens.refresh(match[1] ?? '')
  context.emit({ type: 'refresh', userId: user.id, client: context.settings.clientOf(req) })
  return { status: 200, body: { access_token: token } }
}

async function logout(context: ServiceContext, call: Call): Promise<Answer> {
  const end = async (caller: { readonly jti: string; readonly user: UserRecord }): Promise<Answer> => {
    await context.sessions.end(caller.jti, caller.user.id)
    context.emit({ type: 'logout', userId: caller.user.id, client: context.settings.clientOf(call.req) })
    return { status: 204 }
  }
  return authorised(context, call, end, 'logout')
}

async function verifyToken(context: ServiceContext, call: Call): Promise<Answer> {
  return authorised(context, call, async ({ claims, user }) => ({
    status: 200,
    body: { ...claims, rls: user.roles.join(',') },
  }))
}

function idOf(user: UserRecord | undefined): { readonly userId?: number } {
  return user === undefined ? {} : { userId: user.id }
}

import type { IncomingMessage } from 'node:http'
import { hasRole, notify, type ServiceContext } from './context.js'
import { maskEmail } from './phone-number.js'
import { refusals, tooMany } from './refusal.js'
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

/** A try to sign in, let through by the limits. */
export interface Attempt {
  readonly client: string
  readonly email: string
  /** What the failures are counted by. */
  readonly subject: string
  /** Failures of a known device count against nobody else. */
  readonly known: boolean
  /** Nobody has signed in to the account from there yet, as far as we know. */
  readonly fromNewDevice: boolean
}

/** Somebody who has proved their password. */
export interface SignedIn {
  readonly user: UserRecord
  readonly client: string
  /** Makes the device a known one. */
  readonly headers: Readonly<Record<string, string>>
}

/** An address, its password, and what else has to be proved. */
export interface Credentials {
  readonly email: string
  readonly password: string
  /** Runs after the right password, and throws if something is still missing. */
  readonly andThen?: (attempt: Attempt, user: UserRecord) => Promise<void>
}

/** Checks a password, with everything that belongs to it: limits, dummy work, rehash, the mark of the device. */
export type SignIn = (req: IncomingMessage, credentials: Credentials) => Promise<SignedIn>

/** One for a service: the route and the application's own pages share the lanes. */
export function createSignIn(context: ServiceContext): SignIn {
  const lanes = new Lanes()
  // One after the other for each account: a failure is counted before the next try is compared, and a burst of right
  // logins doesn't count itself out.
  return async (req, credentials) => {
    // Before the lane: a client that is over its limit must not stand in the way of the account's owner there.
    if (!context.devices.mayBeKnown(req)) await refuseClient(context, context.settings.clientOf(req))
    return lanes.run(emailKey(credentials.email), () => signIn(context, req, credentials))
  }
}

async function refuseClient(context: ServiceContext, client: string): Promise<void> {
  const wait = await context.limits.wait('login-client', client, context.settings.limits.loginPerClient)
  if (wait === undefined) return
  context.emit({ type: 'limited', client, reason: 'login' })
  throw tooMany(wait)
}

async function signIn(context: ServiceContext, req: IncomingMessage, credentials: Credentials): Promise<SignedIn> {
  const { email, password, andThen } = credentials
  const client = context.settings.clientOf(req)
  const user = await findByEmail(context, email)
  const attempt = await admit(context, req, { client, email, user })
  await prove(context, attempt, user, password)
  if (user === undefined) throw refusals.authFailure()
  await context.limits.clear('login', attempt.subject)
  if (!user.isActive) throw refusals.invalidUser()
  await andThen?.(attempt, user)
  const signedIn = await settle(context, client, user, password)
  if (attempt.fromNewDevice) tell(context, user, 'new_device', 'A sign-in from a new device')
  return signedIn
}

/** The user of an address. What can't be an address is nobody's, and is not put to the store. */
export async function findByEmail(context: ServiceContext, email: string): Promise<UserRecord | undefined> {
  if (email.length > 256 || /\p{Cc}|\p{Cs}/u.test(email)) return undefined
  return context.store.findByEmail(emailKey(email))
}

/** Lets somebody try a password, or refuses. What is counted is the device's own, where the account knows it. */
export async function admit(
  context: ServiceContext,
  req: IncomingMessage,
  { client, email, user }: { readonly client: string; readonly email: string; readonly user: UserRecord | undefined },
): Promise<Attempt> {
  const { limits, settings, devices } = context
  const device = await devices.recognise(req, client, user ?? nobody)
  // The provisioned service account belongs to no person: by its account alone anybody could stop other services.
  const scope = device ?? (user?.roles.includes('service') === true ? `client:${client}` : '')
  const attempt = {
    client,
    email,
    subject: `${emailKey(email)} ${scope}`,
    known: device?.startsWith('mark:') === true,
    fromNewDevice: device === undefined,
  }
  // Who is refused already counts against no account: else one client could lock out as many as it likes.
  const wait =
    (attempt.known ? undefined : await limits.wait('login-client', client, settings.limits.loginPerClient)) ??
    (device === undefined ? await limits.wait('login-all', '', settings.limits.loginGlobal) : undefined) ??
    (await overLimit(context, attempt, user))
  if (wait === undefined) return attempt
  context.emit({ type: 'limited', client, destination: maskEmail(email), reason: 'login', ...idOf(user) })
  throw tooMany(wait)
}

// The first try beyond the limit is told to the owner, once a day: else a stranger could fill the mailbox.
async function overLimit(
  context: ServiceContext,
  attempt: Attempt,
  user: UserRecord | undefined,
): Promise<number | undefined> {
  const { limits, settings } = context
  const wait = await limits.count('login', attempt.subject, settings.limits.login)
  if (wait === undefined) return undefined
  const once = { max: 1, windowSeconds: 86_400 }
  const isTold = (await limits.count('login-told', emailKey(attempt.email), once)) !== undefined
  if (user?.isActive === true && !isTold) tell(context, user, 'login_failures', 'Sign-ins that failed')
  return wait
}

// The provisioned service account belongs to no person.
function tell(context: ServiceContext, user: UserRecord, template: string, subject: string): void {
  if (!hasRole(user, 'service')) notify(context, user.email, template, subject, user.firstName)
}

async function prove(
  context: ServiceContext,
  attempt: Attempt,
  user: UserRecord | undefined,
  password: string,
): Promise<void> {
  if (await context.passwords.verify(user?.passwordHash ?? null, password, emailKey(attempt.email))) return
  await failed(context, attempt, user, 'password')
}

/** Counts a failed try, and refuses it. */
export async function failed(
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

async function settle(context: ServiceContext, client: string, user: UserRecord, password: string): Promise<SignedIn> {
  const { passwords, store, now } = context
  const stale = user.passwordHash !== null && passwords.needsRehash(user.passwordHash)
  const passwordHash = stale ? { passwordHash: await passwords.hash(password) } : {}
  const at = now()
  // If the password was changed while the old one was compared, the login was one with the old one.
  const updated = await store.update(user.id, { lastLoginAt: at, ...passwordHash }, { at, ifEpoch: user.epoch })
  if (!updated.ok) throw refusals.authFailure()
  if (!updated.user.isActive) throw refusals.invalidUser()
  await context.resets.drop(user.id)
  return { user: updated.user, client, headers: await context.devices.remember(client, updated.user) }
}

function idOf(user: UserRecord | undefined): { readonly userId?: number } {
  return user === undefined ? {} : { userId: user.id }
}

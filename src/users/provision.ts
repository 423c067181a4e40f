import { z } from 'zod'
import type { StateStore } from '../approval/state-store.js'
import { InvalidOptionError } from '../errors.js'
import { objectWith, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, type Runtime } from '../runtime.js'
import { argon2Hasher, type PasswordHasher } from './password-hasher.js'
import { checkNewPassword } from './password-policy.js'
import { Refusal } from './refusal.js'
import { ResetTokens } from './reset.js'
import { isObject, stringMember } from './schema.js'
import { emailKey, type UserRecord, type UserStore } from './user-store.js'

/** An account that must be there. */
export interface ProvisionedAccount {
  readonly email: string
  readonly roles: readonly string[]
  /** Left out: the account has none, and the result holds a token to set one with (`/password/reset/confirm/`), good for an hour. */
  readonly password?: string
}

export interface ProvisionOptions {
  readonly store: UserStore
  readonly accounts: readonly ProvisionedAccount[]
  /** Needed for accounts without a password: the service's state store and namespace. */
  readonly state?: StateStore
  readonly namespace?: string
  /** Default 15. */
  readonly minLength?: number
  readonly hasher?: PasswordHasher
  readonly runtime?: Partial<Runtime>
}

/** What became of one account. */
export interface ProvisionOutcome {
  readonly email: string
  readonly userId: number
  /** False if it was there already: then nothing was changed. */
  readonly created: boolean
  readonly setUpToken?: string
}

const optionsSchema = z.strictObject({
  store: objectWith<UserStore>(['findByEmail', 'insert'], 'give a UserStore'),
  accounts: z.array(
    z.strictObject({
      email: z.string().regex(/^[^\s@]+@[^\s@]+$/, { error: 'give an e-mail address' }),
      roles: z.array(z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/)),
      password: z.string().optional(),
    }),
  ),
  state: objectWith<StateStore>(['get', 'put', 'update'], 'give a StateStore').optional(),
  namespace: z.string().default('users'),
  minLength: z.int().min(8).default(15),
  hasher: objectWith<PasswordHasher>(['hash'], 'give a PasswordHasher').optional(),
  runtime: runtimeOption,
})

type Settings = z.output<typeof optionsSchema>

/**
 * Makes sure that some accounts exist: an administrator, the account of a service. Run it at start. An account that is
 * there is never touched. Passwords that are easy to guess, `password` first of all, are refused.
 *
 * @throws {@link InvalidOptionError} naming the account, never its password.
 */
export async function provisionUsers(options: ProvisionOptions): Promise<readonly ProvisionOutcome[]> {
  const settings = parseOptions(optionsSchema, options, 'provisionUsers')
  const outcomes: ProvisionOutcome[] = []
  for (const [index] of settings.accounts.entries()) outcomes.push(await provision(settings, index))
  return outcomes
}

async function provision(settings: Settings, index: number): Promise<ProvisionOutcome> {
  const { store, accounts, runtime, state } = settings
  const account = accounts[index]
  if (account === undefined) throw new RangeError('there is no such account')
  const { email, roles, password } = account
  if (password !== undefined) await checkPassword(settings, { option: `accounts.${index}.password`, email, password })
  else if (state === undefined)
    throw new InvalidOptionError('state', 'an account without a password needs option state')
  const existing = await store.findByEmail(emailKey(email))
  if (existing !== undefined) return { email, userId: existing.id, created: false }
  const inserted = await store.insert({
    email,
    emailKey: emailKey(email),
    phone: null,
    phoneKey: null,
    firstName: null,
    lastName: null,
    passwordHash: password === undefined ? null : await (settings.hasher ?? argon2Hasher()).hash(password),
    isActive: true,
    roles,
    at: resolveRuntime(runtime).now(),
  })
  // Another process was faster: the account is there, which is all that was wanted.
  if (!inserted.ok) return { email, userId: (await store.findByEmail(emailKey(email)))?.id ?? 0, created: false }
  return { email, userId: inserted.user.id, created: true, ...(await setUpToken(settings, inserted.user)) }
}

async function checkPassword(
  { minLength }: Settings,
  account: { readonly option: string; readonly email: string; readonly password: string },
): Promise<void> {
  try {
    await checkNewPassword({ minLength, blocklist: [], isBreached: undefined }, account.password, account.email)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const body = isObject(error.answer.body) ? error.answer.body : {}
    throw new InvalidOptionError(account.option, `${account.email}: ${stringMember(body, 'description')}`)
  }
}

async function setUpToken({ state, namespace }: Settings, user: UserRecord): Promise<{ readonly setUpToken?: string }> {
  if (state === undefined || user.passwordHash !== null) return {}
  return { setUpToken: await new ResetTokens(state, { namespace, lifetimeSeconds: 3600 }).issue(user) }
}

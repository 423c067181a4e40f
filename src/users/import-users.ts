import { emailKey, type UserStore } from './user-store.js'
import { phoneKey } from './phone-number.js'

/** A row of the original's table `user`, as a driver or an export gives it. */
export type OriginalUserRow = Readonly<Record<string, unknown>>

export interface ImportOptions {
  readonly store: UserStore
  readonly rows: Iterable<OriginalUserRow> | AsyncIterable<OriginalUserRow>
  /** Addresses that may hold `admin`; the role is dropped from others. In the original anybody could give it to themselves. */
  readonly admins: readonly string[]
  /** Addresses that may hold `service`, which was as easy to take. Default none. */
  readonly services?: readonly string[]
  readonly now?: () => number
}

type Allowed = Readonly<Record<'admin' | 'service', ReadonlySet<string>>>

/** What became of one row. `warnings` hold no password and no hash. */
export interface ImportOutcome {
  readonly email: string
  readonly id: number | undefined
  readonly result: 'imported' | 'skipped'
  readonly warnings: readonly string[]
}

const knownHash = /^\$(argon2(i|d|id)\$|pbkdf2-sha(1|256|512)\$|[56]\$|2[aby]\$|bcrypt-sha256\$|scrypt\$)/

/**
 * Takes the users of an original over, ids included: splits the roles, keeps password hashes of known kinds (they are
 * made anew at the next login), and says what it did not take. Rows whose address or phone is there already are skipped.
 */
export async function* importUsers(options: ImportOptions): AsyncGenerator<ImportOutcome> {
  const now = options.now ?? Date.now
  const allowed = {
    admin: new Set(options.admins.map(emailKey)),
    service: new Set((options.services ?? []).map(emailKey)),
  }
  for await (const row of options.rows) yield importRow(options.store, { row, allowed, at: now() })
}

async function importRow(
  store: UserStore,
  { row, allowed, at }: { readonly row: OriginalUserRow; readonly allowed: Allowed; readonly at: number },
): Promise<ImportOutcome> {
  const email = textOf(row['email'])
  const id = Number(row['id'])
  if (email === null || !email.includes('@') || email.length > 256 || /\p{Cc}|\p{Cs}/u.test(email)) {
    return { email: '', id: undefined, result: 'skipped', warnings: [`row ${String(id)} has no e-mail address`] }
  }
  const warnings: string[] = []
  const inserted = await store.insert({
    ...(Number.isSafeInteger(id) && id > 0 && id <= 2_147_483_647 ? { id } : {}),
    email,
    emailKey: emailKey(email),
    ...phoneOf(row, warnings),
    firstName: nameOf(row['first_name']),
    lastName: nameOf(row['last_name']),
    passwordHash: hashOf(row, warnings),
    isActive: row['is_active'] !== 0 && row['is_active'] !== false && row['is_active'] !== '0',
    roles: rolesOf(row, { email, allowed }, warnings),
    at: timeOf(row['created_at']) ?? at,
  })
  if (inserted.ok) return { email, id: inserted.user.id, result: 'imported', warnings }
  return { email, id: undefined, result: 'skipped', warnings: ['the id, the address or the phone is taken'] }
}

function hashOf(row: OriginalUserRow, warnings: string[]): string | null {
  const password = textOf(row['password'])
  if (password === null || knownHash.test(password)) return password
  warnings.push('the stored password is no hash and was dropped: the user needs a reset')
  return null
}

function rolesOf(
  row: OriginalUserRow,
  { email, allowed }: { readonly email: string; readonly allowed: Allowed },
  warnings: string[],
): readonly string[] {
  const roles = (textOf(row['roles']) ?? '').split(',').filter((role) => role !== '')
  const dropped = (['service', 'admin'] as const).filter(
    (role) => roles.includes(role) && !allowed[role].has(emailKey(email)),
  )
  for (const role of dropped) {
    warnings.push(`the role ${role} was dropped: the address is not among those that may hold it`)
  }
  const named = roles.filter((role) => /^[A-Za-z0-9_.:-]{1,64}$/.test(role))
  if (named.length < roles.length) warnings.push(`${roles.length - named.length} roles were dropped: they are no name`)
  return named.filter((role) => role !== dropped.find((other) => other === role))
}

function phoneOf(
  row: OriginalUserRow,
  warnings: string[],
): { readonly phone: string | null; readonly phoneKey: string | null } {
  const phone = textOf(row['phone'])
  if (phone === null || (phone.length <= 30 && !/\p{Cc}|\p{Cs}/u.test(phone))) {
    return { phone, phoneKey: phone === null || phone.trim() === '' ? null : phoneKey(phone) }
  }
  warnings.push('the phone was dropped: it is no number')
  return { phone: null, phoneKey: null }
}

function nameOf(value: unknown): string | null {
  const name = textOf(value)?.replaceAll(/\p{Cc}|\p{Cs}/gu, '')
  return name === undefined ? null : Array.from(name.slice(0, 256)).slice(0, 64).join('')
}

// UTC without a zone: 2020-02-05 12:00:00.123456, or with a T.
function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(`${value.replace(' ', 'T').slice(0, 23)}Z`) : NaN
  return Number.isNaN(time) ? undefined : time
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value.replaceAll('\0', '') : null
}

import { sql, type RawBuilder } from 'kysely'
import { z } from 'zod'
import { StoreUnavailableError } from '../../errors.js'
import { parseOptions } from '../../options.js'
import type {
  InsertOutcome,
  NewUser,
  UpdateOutcome,
  UserChanges,
  UserCondition,
  UserPage,
  UserRecord,
  UserStore,
} from '../../users/user-store.js'
import { databaseOption, isPostgres, table, tablePrefixOption, toInteger, toText } from './database.js'
import { Queries } from './query.js'
import type { SqlDatabase } from './sql-database.js'

/** What {@link SqlUserStore} takes. */
export interface SqlUserStoreOptions {
  /** A Kysely instance on SQLite or PostgreSQL, with the tables that `migrateToLatest` makes. */
  readonly db: SqlDatabase
  /** What the names of our tables begin with. Default `oob_`. */
  readonly tablePrefix?: string | undefined
  /** How long an answer of the database may take, in milliseconds. Default 5000. */
  readonly timeoutMs?: number | undefined
}

const optionsSchema = z.strictObject({
  db: databaseOption,
  tablePrefix: tablePrefixOption,
  timeoutMs: z.int().min(1).max(60_000).default(5_000),
})

const rolesSchema = z.array(z.string())

type Row = Readonly<Record<string, unknown>>

/**
 * Users in SQLite or PostgreSQL. Every change is a single statement, so it happens wholly or not at all.
 *
 * @throws {@link InvalidOptionError} from the constructor; {@link StoreUnavailableError} from every method when the
 *   database can't be reached, stays locked, takes longer than `timeoutMs`, or has no tables yet.
 */
export class SqlUserStore implements UserStore {
  readonly #queries: Queries
  readonly #users: RawBuilder<unknown>
  readonly #lock: RawBuilder<unknown>
  /** Name of the table, where ids are counted by a sequence. */
  readonly #idSequence: string | undefined

  constructor(options: SqlUserStoreOptions) {
    const { db, tablePrefix, timeoutMs } = parseOptions(optionsSchema, options, 'SqlUserStore')
    this.#queries = new Queries(db, timeoutMs)
    this.#users = table(tablePrefix, 'users')
    // SQLite has one writer at a time. In PostgreSQL two administrators who demote each other must wait for each other.
    const postgres = isPostgres(db, 'SqlUserStore')
    this.#lock = postgres ? sql`for update` : sql``
    this.#idSequence = postgres ? `${tablePrefix}users` : undefined
  }

  async findById(id: number): Promise<UserRecord | undefined> {
    return this.#one(sql<Row>`select * from ${this.#users} where id = ${id}`)
  }

  async findByEmail(emailKey: string): Promise<UserRecord | undefined> {
    return this.#one(sql<Row>`select * from ${this.#users} where email_key = ${emailKey}`)
  }

  async findByPhone(phoneKey: string): Promise<UserRecord | undefined> {
    return this.#one(sql<Row>`select * from ${this.#users} where phone_key = ${phoneKey}`)
  }

  async insert(user: NewUser): Promise<InsertOutcome> {
    const at = Math.floor(user.at)
    const { id } = user
    if (id !== undefined) await this.#reserve(id)
    const [idColumn, idValue] = id === undefined ? [sql``, sql``] : [sql`id, `, sql`${id}, `]
    const inserted = await this.#one(sql<Row>`
      insert into ${this.#users} (${idColumn} email, email_key, phone, phone_key, first_name, last_name, password_hash,
        is_active, is_admin, roles, epoch, last_login_at, created_at, updated_at)
      values (${idValue} ${user.email}, ${user.emailKey}, ${user.phone}, ${user.phoneKey}, ${user.firstName}, ${user.lastName},
        ${user.passwordHash}, ${flag(user.isActive)}, ${flag(user.roles.includes('admin'))},
        ${JSON.stringify(user.roles)}, 0, ${at}, ${at}, ${at})
      on conflict do nothing returning *`)
    return inserted === undefined ? { ok: false, reason: 'taken' } : { ok: true, user: inserted }
  }

  async update(id: number, changes: UserChanges, condition: UserCondition): Promise<UpdateOutcome> {
    const { ifEpoch } = condition
    const sets = [...assignments(changes), sql`updated_at = ${Math.floor(condition.at)}`]
    const epoch = ifEpoch === undefined ? sql`` : sql`and epoch = ${ifEpoch}`
    const mayLoseAdmin = changes.isActive === false || (changes.roles !== undefined && !changes.roles.includes('admin'))
    const admins = mayLoseAdmin
      ? sql`with admins as (select id from ${this.#users} where is_admin = 1 and is_active = 1 order by id ${this.#lock})`
      : sql``
    const keepsAdmin = mayLoseAdmin
      ? sql`and (is_admin = 0 or is_active = 0 or exists (select 1 from admins where admins.id <> ${id}))`
      : sql``
    try {
      const updated = await this.#one(sql<Row>`
        ${admins} update ${this.#users} set ${sql.join(sets)} where id = ${id} ${epoch} ${keepsAdmin} returning *`)
      return updated === undefined ? await this.#whyNot(id, ifEpoch) : { ok: true, user: updated }
    } catch (error) {
      if (isUniqueViolation(error)) return { ok: false, reason: 'taken' }
      throw error
    }
  }

  async list({ afterId, limit, search }: UserPage): Promise<readonly UserRecord[]> {
    const found = search === undefined ? sql`` : sql`and ${matching(search)}`
    const rows = await this.#queries.rows(
      sql<Row>`select * from ${this.#users} where id > ${afterId} ${found} order by id limit ${limit}`,
    )
    return rows.map(toUser)
  }

  async erase(id: number): Promise<boolean> {
    return (await this.#queries.rows(sql`delete from ${this.#users} where id = ${id} returning id`)).length === 1
  }

  // PostgreSQL counts ids apart from the table: the count goes beyond an id that is given, before it is there.
  async #reserve(id: number): Promise<void> {
    if (this.#idSequence === undefined) return
    const sequence = sql`pg_get_serial_sequence(${this.#idSequence}, 'id')::regclass`
    await this.#queries.rows(sql`
      select setval(${sequence}, greatest(${id}::bigint, coalesce(pg_sequence_last_value(${sequence}), 0)))`)
  }

  async #whyNot(id: number, ifEpoch: number | undefined): Promise<UpdateOutcome> {
    const user = await this.findById(id)
    if (user === undefined) return { ok: false, reason: 'missing' }
    return { ok: false, reason: ifEpoch !== undefined && user.epoch !== ifEpoch ? 'stale' : 'last-admin' }
  }

  async #one(statement: RawBuilder<Row>): Promise<UserRecord | undefined> {
    const row = (await this.#queries.rows(statement))[0]
    return row && toUser(row)
  }
}

function assignments(changes: UserChanges): RawBuilder<unknown>[] {
  const { email, phone, firstName, lastName, passwordHash, isActive, roles, lastLoginAt, endSessions } = changes
  const sets: (RawBuilder<unknown> | false)[] = [
    email !== undefined && sql`email = ${email.text}, email_key = ${email.key}`,
    phone !== undefined && sql`phone = ${phone.text}, phone_key = ${phone.key}`,
    firstName !== undefined && sql`first_name = ${firstName}`,
    lastName !== undefined && sql`last_name = ${lastName}`,
    passwordHash !== undefined && sql`password_hash = ${passwordHash}`,
    isActive !== undefined && sql`is_active = ${flag(isActive)}`,
    roles !== undefined && sql`roles = ${JSON.stringify(roles)}, is_admin = ${flag(roles.includes('admin'))}`,
    lastLoginAt !== undefined && sql`last_login_at = ${Math.floor(lastLoginAt)}`,
    endSessions === true && sql`epoch = epoch + 1`,
  ]
  return sets.filter((set) => set !== false)
}

// What people type into a search holds no patterns: % and _ stand for themselves.
function matching(search: string): RawBuilder<unknown> {
  const pattern = `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
  const columns = ['email_key', 'phone_key', 'first_name', 'last_name']
  return sql`(${sql.join(
    columns.map((column) => sql`lower(${sql.ref(column)}) like ${pattern} escape '\\'`),
    sql` or `,
  )})`
}

function toUser(row: Row): UserRecord {
  return {
    id: toInteger(row['id']),
    email: toText(row['email']),
    phone: toTextOrNull(row['phone']),
    firstName: toTextOrNull(row['first_name']),
    lastName: toTextOrNull(row['last_name']),
    passwordHash: toTextOrNull(row['password_hash']),
    isActive: toInteger(row['is_active']) === 1,
    roles: rolesSchema.parse(JSON.parse(toText(row['roles']))),
    epoch: toInteger(row['epoch']),
    lastLoginAt: toInteger(row['last_login_at']),
    createdAt: toInteger(row['created_at']),
    updatedAt: toInteger(row['updated_at']),
  }
}

function toTextOrNull(value: unknown): string | null {
  return value === null ? null : toText(value)
}

function flag(value: boolean): number {
  return value ? 1 : 0
}

function isUniqueViolation(error: unknown): boolean {
  if (!(error instanceof StoreUnavailableError) || !(error.cause instanceof Error)) return false
  const { cause } = error
  return Reflect.get(cause, 'code') === '23505' || /unique constraint failed/i.test(cause.message)
}

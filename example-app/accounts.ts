import { randomUUID } from 'node:crypto'
import { type Generated, type Kysely, type Selectable } from 'kysely'
import type { TransferTable } from './transfers.js'
import type { DocumentTable } from './documents.js'
import { hashPassword, isPassword } from './passwords.js'

/** The bank's own table. The stores of passport-outofband keep theirs in the same database. */
export interface AccountTable {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly password: string
  /** The Authy id, once a phone is connected. */
  readonly authy_id: string | null
  /** 1 when the Authy app is on the phone: pushes, and codes from the app. */
  readonly has_app: Generated<number>
  /** The last two digits of the number that gets texts and calls. */
  readonly phone_ending: string | null
  /** The id under which PassBy[ME] knows the person, once a phone is connected there. */
  readonly passbyme_id: string | null
  /** The random token under which Activeconnect knows the person, once a phone is connected there. */
  readonly activeconnect_id: string | null
  readonly balance_cents: Generated<number>
  readonly created_at: number
}

export interface BankDatabase {
  readonly bank_account: AccountTable
  readonly bank_transfer: TransferTable
  readonly bank_document: DocumentTable
}

export type Account = Selectable<AccountTable>

/** The account that Passport put on a request, if somebody is signed in. */
export function signedInAccount(req: { readonly user?: unknown }): Account | undefined {
  return isAccount(req.user) ? req.user : undefined
}

function isAccount(user: unknown): user is Account {
  return typeof user === 'object' && user !== null && 'id' in user && 'authy_id' in user
}

/** Whether there is a phone of any kind: from then on the password alone changes nothing. */
export function hasPhone({ authy_id, passbyme_id, activeconnect_id }: Account): boolean {
  return authy_id !== null || passbyme_id !== null || activeconnect_id !== null
}

/** A person is known already by this e-mail address. */
export class EmailTakenError extends Error {}

/** The people of the bank. */
export class Accounts {
  readonly #db: Kysely<BankDatabase>

  constructor(db: Kysely<BankDatabase>) {
    this.#db = db
  }

  async createTable(): Promise<void> {
    await this.#db.schema
      .createTable('bank_account')
      .ifNotExists()
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('email', 'text', (column) => column.notNull().unique())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('password', 'text', (column) => column.notNull())
      .addColumn('authy_id', 'text')
      .addColumn('has_app', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('phone_ending', 'text')
      .addColumn('balance_cents', 'integer', (column) => column.notNull().defaultTo(4_823_500))
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .execute()
    await this.#addMissingColumns()
  }

  // For a database that an earlier version of the example made.
  async #addMissingColumns(): Promise<void> {
    const tables = await this.#db.introspection.getTables()
    const there = new Set(tables.find(({ name }) => name === 'bank_account')?.columns.map(({ name }) => name))
    for (const column of ['passbyme_id', 'activeconnect_id']) {
      if (!there.has(column)) await this.#db.schema.alterTable('bank_account').addColumn(column, 'text').execute()
    }
  }

  /** @throws EmailTakenError, also when two try at the same moment: the database decides. */
  async create(person: { readonly email: string; readonly name: string; readonly password: string }): Promise<Account> {
    const password = await hashPassword(person.password)
    const added = await this.#db
      .insertInto('bank_account')
      .values({ id: randomUUID(), email: normalise(person.email), name: person.name, password, created_at: Date.now() })
      .onConflict((conflict) => conflict.column('email').doNothing())
      .returningAll()
      .executeTakeFirst()
    if (!added) throw new EmailTakenError()
    return added
  }

  async find(id: string): Promise<Account | undefined> {
    return this.#db.selectFrom('bank_account').selectAll().where('id', '=', id).executeTakeFirst()
  }

  /** The account whose e-mail and password these are. Takes as long for an unknown e-mail as for a wrong password. */
  async signIn(email: string, password: string): Promise<Account | undefined> {
    const found = await this.#db
      .selectFrom('bank_account')
      .selectAll()
      .where('email', '=', normalise(email))
      .executeTakeFirst()
    return (await isPassword(found?.password, password)) ? found : undefined
  }

  /** Connects a phone, in place of the one before. */
  async connectPhone(
    id: string,
    phone: { readonly authyId: string; readonly hasApp: boolean; readonly ending: string | null },
  ): Promise<void> {
    const change = { authy_id: phone.authyId, has_app: phone.hasApp ? 1 : 0, phone_ending: phone.ending }
    await this.#db.updateTable('bank_account').set(change).where('id', '=', id).execute()
  }

  /** Connects a phone of another provider, in place of the one before. */
  async connectProvider(id: string, provider: 'passbyme' | 'activeconnect', reference: string): Promise<void> {
    const change = provider === 'passbyme' ? { passbyme_id: reference } : { activeconnect_id: reference }
    await this.#db.updateTable('bank_account').set(change).where('id', '=', id).execute()
  }

  /** A sandbox that was started anew knows none of the phones of before. */
  async forgetPhones(): Promise<void> {
    const none = { authy_id: null, has_app: 0, phone_ending: null, passbyme_id: null, activeconnect_id: null }
    await this.#db.updateTable('bank_account').set(none).execute()
  }
}

function normalise(email: string): string {
  return email.trim().toLowerCase()
}

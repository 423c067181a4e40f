import { type Generated, type Kysely, type Selectable } from 'kysely'
import type { AuditTable } from './audit.js'
import type { DocumentTable } from './documents.js'
import type { TransferTable } from './transfers.js'

/** What the bank knows of a person beside what the user service does: the money, and the phones that approve. */
export interface CustomerTable {
  /** The person's id at the user service, whose tables are in the same database. */
  readonly user_id: number
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
}

export interface BankDatabase {
  readonly bank_audit: AuditTable
  readonly bank_customer: CustomerTable
  readonly bank_transfer: TransferTable
  readonly bank_document: DocumentTable
}

export type Customer = Selectable<CustomerTable>

/** Whether there is a phone of any kind: from then on the password alone changes nothing. */
export function hasPhone({
  authy_id,
  passbyme_id,
  activeconnect_id,
}: Pick<Customer, 'authy_id' | 'passbyme_id' | 'activeconnect_id'>): boolean {
  return authy_id !== null || passbyme_id !== null || activeconnect_id !== null
}

/** The bank's own table of people. */
export class Customers {
  readonly #db: Kysely<BankDatabase>

  constructor(db: Kysely<BankDatabase>) {
    this.#db = db
  }

  async createTable(): Promise<void> {
    await this.#db.schema
      .createTable('bank_customer')
      .ifNotExists()
      .addColumn('user_id', 'integer', (column) => column.primaryKey())
      .addColumn('authy_id', 'text')
      .addColumn('has_app', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('phone_ending', 'text')
      .addColumn('passbyme_id', 'text')
      .addColumn('activeconnect_id', 'text')
      .addColumn('balance_cents', 'integer', (column) => column.notNull().defaultTo(4_823_500))
      .execute()
  }

  /**
   * The customer of a user. Made when it is first asked for, not at sign-up: whoever is registered, over the pages or the
   * API, and whenever the server was killed meanwhile, is a customer at the next look.
   */
  async of(userId: number): Promise<Customer> {
    const found = await this.#find(userId)
    if (found) return found
    await this.#db
      .insertInto('bank_customer')
      .values({ user_id: userId })
      .onConflict((conflict) => conflict.column('user_id').doNothing())
      .execute()
    return (await this.#find(userId)) ?? this.of(userId)
  }

  /** Connects a phone, in place of the one before. */
  async connectPhone(
    userId: number,
    phone: { readonly authyId: string; readonly hasApp: boolean; readonly ending: string | null },
  ): Promise<void> {
    const change = { authy_id: phone.authyId, has_app: phone.hasApp ? 1 : 0, phone_ending: phone.ending }
    await this.#db.updateTable('bank_customer').set(change).where('user_id', '=', userId).execute()
  }

  /** Connects a phone of another provider, in place of the one before. */
  async connectProvider(userId: number, provider: 'passbyme' | 'activeconnect', reference: string): Promise<void> {
    const change = provider === 'passbyme' ? { passbyme_id: reference } : { activeconnect_id: reference }
    await this.#db.updateTable('bank_customer').set(change).where('user_id', '=', userId).execute()
  }

  /** A sandbox that was started anew knows none of the phones of before. */
  async forgetPhones(): Promise<void> {
    const none = { authy_id: null, has_app: 0, phone_ending: null, passbyme_id: null, activeconnect_id: null }
    await this.#db.updateTable('bank_customer').set(none).execute()
  }

  async #find(userId: number): Promise<Customer | undefined> {
    return this.#db.selectFrom('bank_customer').selectAll().where('user_id', '=', userId).executeTakeFirst()
  }
}

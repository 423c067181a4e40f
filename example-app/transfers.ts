import { sql, type Kysely, type Selectable } from 'kysely'
import type { BankDatabase } from './customers.js'

/** What left an account. */
export interface TransferTable {
  /** The approval's id: whatever is approved once is booked once, whoever tries again. */
  readonly approval_id: string
  readonly account_id: string
  readonly amount_cents: number
  readonly payee: string
  readonly iban: string
  readonly created_at: number
}

/** What is approved, and nothing else is done: the fields that are bound. */
export interface TransferOrder {
  readonly amountCents: number
  readonly payee: string
  readonly iban: string
}

/** There is less in the account than is to be transferred. */
export class NotCoveredError extends Error {}

/** The books of the bank. */
export class Transfers {
  readonly #db: Kysely<BankDatabase>

  constructor(db: Kysely<BankDatabase>) {
    this.#db = db
  }

  async createTable(): Promise<void> {
    await this.#db.schema
      .createTable('bank_transfer')
      .ifNotExists()
      .addColumn('approval_id', 'text', (column) => column.primaryKey())
      .addColumn('account_id', 'text', (column) => column.notNull())
      .addColumn('amount_cents', 'integer', (column) => column.notNull())
      .addColumn('payee', 'text', (column) => column.notNull())
      .addColumn('iban', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .execute()
  }

  /**
   * Takes the money from the account and writes it into the books, both or neither, and once for an approval.
   * @throws NotCoveredError
   */
  async book(approvalId: string, accountId: string, order: TransferOrder): Promise<void> {
    const { amountCents, payee, iban } = order
    await this.#db.transaction().execute(async (transaction) => {
      const written = await transaction
        .insertInto('bank_transfer')
        .values({
          approval_id: approvalId,
          account_id: accountId,
          amount_cents: amountCents,
          payee,
          iban,
          created_at: Date.now(),
        })
        .onConflict((conflict) => conflict.column('approval_id').doNothing())
        .returning('approval_id')
        .executeTakeFirst()
      if (!written) return
      const taken = await transaction
        .updateTable('bank_customer')
        .set({ balance_cents: sql<number>`balance_cents - ${amountCents}` })
        .where('user_id', '=', Number(accountId))
        .where('balance_cents', '>=', amountCents)
        .returning('user_id')
        .executeTakeFirst()
      if (!taken) throw new NotCoveredError()
    })
  }

  /** The newest first. */
  async recent(accountId: string): Promise<readonly Selectable<TransferTable>[]> {
    return this.#db
      .selectFrom('bank_transfer')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(5)
      .execute()
  }
}

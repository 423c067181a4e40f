import type { Kysely } from 'kysely'
import type { BankDatabase } from './customers.js'

/** Which customer sent which SafeBox. For the service they are all the bank's, so this decides who may see one. */
export interface DocumentTable {
  readonly guid: string
  readonly account_id: string
  readonly subject: string
  readonly recipient: string
  readonly sent_at: number
}

export interface SentDocument {
  readonly guid: string
  readonly subject: string
  readonly recipient: string
  readonly sentAt: Date
}

/** The SafeBoxes that customers sent. Their content, and what happened to them, is only at the service. */
export class Documents {
  readonly #db: Kysely<BankDatabase>

  constructor(db: Kysely<BankDatabase>) {
    this.#db = db
  }

  async createTable(): Promise<void> {
    await this.#db.schema
      .createTable('bank_document')
      .ifNotExists()
      .addColumn('guid', 'text', (column) => column.primaryKey())
      .addColumn('account_id', 'text', (column) => column.notNull())
      .addColumn('subject', 'text', (column) => column.notNull())
      .addColumn('recipient', 'text', (column) => column.notNull())
      .addColumn('sent_at', 'bigint', (column) => column.notNull())
      .execute()
  }

  async add(accountId: string, sent: Omit<SentDocument, 'sentAt'>): Promise<void> {
    const row = { ...sent, account_id: accountId, sent_at: Date.now() }
    await this.#db.insertInto('bank_document').values(row).execute()
  }

  /** The newest 50. */
  async list(accountId: string): Promise<readonly SentDocument[]> {
    const rows = await this.#db
      .selectFrom('bank_document')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('sent_at', 'desc')
      .limit(50)
      .execute()
    return rows.map(read)
  }

  /** Nothing for somebody else's. */
  async find(accountId: string, guid: string): Promise<SentDocument | undefined> {
    const row = await this.#db
      .selectFrom('bank_document')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('guid', '=', guid)
      .executeTakeFirst()
    return row && read(row)
  }

  /** A sandbox that was started anew knows none of the SafeBoxes of before. */
  async forget(): Promise<void> {
    await this.#db.deleteFrom('bank_document').execute()
  }
}

// PostgreSQL gives a bigint as a string.
function read({ guid, subject, recipient, sent_at }: DocumentTable): SentDocument {
  return { guid, subject, recipient, sentAt: new Date(Number.parseInt(String(sent_at), 10)) }
}

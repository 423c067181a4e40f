import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { UserEvent, UserEventType } from 'passport-outofband/users'
import type { BankDatabase } from './customers.js'

/** What happened to a person's account. */
export interface AuditTable {
  readonly id: string
  readonly at: number
  readonly type: string
  readonly user_id: number
  /** Who did it, where it was somebody else. */
  readonly actor_id: number | null
  readonly client: string | null
  readonly reason: string | null
}

export interface AuditLine {
  readonly at: Date
  readonly type: string
  readonly actorId: number | null
  readonly client: string | null
  readonly reason: string | null
}

// What changes something, and who came in. Failed tries are in the log: here anybody could write as many as they like.
const kept: ReadonlySet<UserEventType> = new Set<UserEventType>([
  'registered',
  'login',
  'roles.changed',
  'user.deactivated',
  'user.reactivated',
  'password.changed',
  'password.reset',
  'email.changed',
  'phone.changed',
  'sessions.ended',
])

/** The audit trail of the user service, for the pages of administrators. */
export class Audit {
  readonly #db: Kysely<BankDatabase>

  constructor(db: Kysely<BankDatabase>) {
    this.#db = db
  }

  async createTable(): Promise<void> {
    await this.#db.schema
      .createTable('bank_audit')
      .ifNotExists()
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('user_id', 'integer', (column) => column.notNull())
      .addColumn('actor_id', 'integer')
      .addColumn('client', 'text')
      .addColumn('reason', 'text')
      .execute()
    await this.#db.schema
      .createIndex('bank_audit_of_user')
      .ifNotExists()
      .on('bank_audit')
      .columns(['user_id', 'at'])
      .execute()
  }

  async add({ type, at, userId, actorId, client, reason }: UserEvent): Promise<void> {
    if (userId === undefined || !kept.has(type)) return
    await this.#db
      .insertInto('bank_audit')
      .values({
        id: randomUUID(),
        at: at.getTime(),
        type,
        user_id: userId,
        actor_id: actorId === undefined || actorId === userId ? null : actorId,
        client: client ?? null,
        reason: reason ?? null,
      })
      .execute()
  }

  /** The newest first. */
  async recent(userId: number): Promise<readonly AuditLine[]> {
    const rows = await this.#db
      .selectFrom('bank_audit')
      .selectAll()
      .where('user_id', '=', userId)
      .orderBy('at', 'desc')
      .limit(20)
      .execute()
    // PostgreSQL gives a bigint as a string.
    return rows.map(({ at, type, actor_id, client, reason }) => {
      return { at: new Date(Number.parseInt(String(at), 10)), type, actorId: actor_id, client, reason }
    })
  }
}

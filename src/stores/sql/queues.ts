import { sql, type RawBuilder } from 'kysely'
import { checkDuration, checkLimit, checkName, checkTime, storedName } from '../check.js'
import { toText } from './database.js'
import type { Queries } from './query.js'

/** The queues of `SqlStateStore`: members with the time at which they are due. */
export class SqlQueues {
  readonly #queries: Queries
  readonly #table: RawBuilder<unknown>
  readonly #now: () => number
  readonly #skipLocked: RawBuilder<unknown>

  constructor(queries: Queries, options: { table: RawBuilder<unknown>; postgres: boolean; now: () => number }) {
    this.#queries = queries
    this.#table = options.table
    this.#now = options.now
    // Two workers that claim at the same time take different members instead of waiting for each other.
    this.#skipLocked = options.postgres ? sql`for update skip locked` : sql``
  }

  async schedule(queue: string, member: string, dueAt: number): Promise<void> {
    checkName('queue', queue)
    checkName('member', member)
    checkTime('dueAt', dueAt)
    await this.#queries.rows(sql`
      insert into ${this.#table} (queue, name, member, due_at)
      values (${storedName(queue)}, ${storedName(member)}, ${JSON.stringify(member)}, ${dueAt})
      on conflict (queue, name) do update set due_at = excluded.due_at`)
  }

  async claim(
    queue: string,
    claim: { readonly leaseMs: number; readonly limit: number; readonly member?: string },
  ): Promise<readonly string[]> {
    checkName('queue', queue)
    checkDuration('leaseMs', claim.leaseMs)
    checkLimit(claim.limit)
    if (claim.member !== undefined) checkName('member', claim.member)
    const now = this.#now()
    const only = claim.member === undefined ? sql`` : sql`and name = ${storedName(claim.member)}`
    // The choice is a materialised step of its own: inside a join PostgreSQL may repeat it and so exceed the limit. That
    // the members are still due is asked again outside, for those that another worker took in between.
    const rows = await this.#queries.rows(sql<{ member: unknown }>`
      with due as materialized (
        select name from ${this.#table} where queue = ${storedName(queue)} and due_at <= ${now} ${only}
        order by due_at limit ${claim.limit} ${this.#skipLocked}
      )
      update ${this.#table} set due_at = ${now + claim.leaseMs}
      where queue = ${storedName(queue)} and due_at <= ${now} and name in (select name from due)
      returning member`)
    return rows.map(({ member }) => String(JSON.parse(toText(member))))
  }

  async unschedule(queue: string, member: string): Promise<void> {
    checkName('queue', queue)
    checkName('member', member)
    await this.#queries.rows(sql`
      delete from ${this.#table} where queue = ${storedName(queue)} and name = ${storedName(member)}`)
  }
}

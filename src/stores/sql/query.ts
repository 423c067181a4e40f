import type { Kysely, RawBuilder } from 'kysely'
import { StoreUnavailableError } from '../../errors.js'
import { answerOf } from '../unavailable.js'

// Serialization failure and deadlock of PostgreSQL: the statement did nothing and may simply be repeated.
const REPEATABLE: ReadonlySet<unknown> = new Set(['40001', '40P01'])
const MAX_ATTEMPTS = 5

/** Runs single statements, with the deadline and the errors that a store promises. */
export class Queries {
  readonly #db: Kysely<unknown>
  readonly #timeoutMs: number

  constructor(db: Kysely<unknown>, timeoutMs: number) {
    this.#db = db
    this.#timeoutMs = timeoutMs
  }

  async rows<T>(statement: RawBuilder<T>): Promise<T[]> {
    return answerOf(this.#attempt(statement, 1), this.#timeoutMs, 'the database')
  }

  async #attempt<T>(statement: RawBuilder<T>, attempt: number): Promise<T[]> {
    try {
      return (await statement.execute(this.#db)).rows
    } catch (error) {
      if (attempt < MAX_ATTEMPTS && REPEATABLE.has(codeOf(error))) return this.#attempt(statement, attempt + 1)
      if (isMissingTable(error)) {
        throw new StoreUnavailableError('the tables are not there: run migrateToLatest({ db }) first', { cause: error })
      }
      throw error
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function isMissingTable(error: unknown): boolean {
  return codeOf(error) === '42P01' || (error instanceof Error && error.message.startsWith('no such table'))
}

import type { Kysely, Migration } from 'kysely'
import { addSessions } from './sessions.js'
import { addState } from './state.js'
import type { SchemaStep } from './step.js'
import { addUsers } from './users.js'

// In the order of their names, which are recorded in the database: add at the end, and never change or rename what was
// released. Columns are text, integer and bigint (milliseconds since the epoch); JSON is text.
const steps: Readonly<Record<string, SchemaStep>> = {
  '0001_state': addState,
  '0002_sessions': addSessions,
  '0003_users': addUsers,
}

/** The migrations, as Kysely's Migrator wants them. */
export function migrationsFor(prefix: string): Record<string, Migration> {
  return Object.fromEntries(
    Object.entries(steps).map(([name, step]) => [name, { up: (db: Kysely<unknown>) => step(db, prefix) }]),
  )
}

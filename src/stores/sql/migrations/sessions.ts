import type { SchemaStep } from './step.js'

/** Sessions of `SqlSessionStore`. `data` is null once a session has been destroyed. */
export const addSessions: SchemaStep = async (db, prefix) => {
  await db.schema
    .createTable(`${prefix}sessions`)
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('data', 'text')
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex(`${prefix}sessions_expires_at`).on(`${prefix}sessions`).column('expires_at').execute()
}

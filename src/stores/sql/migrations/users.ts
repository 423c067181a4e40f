import { isPostgres } from '../database.js'
import type { SchemaStep } from './step.js'

/** Users of `SqlUserStore`. The unique keys are what makes an address and a number belong to one user, also in a race. */
export const addUsers: SchemaStep = async (db, prefix) => {
  const users = `${prefix}users`
  const withId = isPostgres(db, 'migrateToLatest')
    ? db.schema.createTable(users).addColumn('id', 'integer', (id) => id.generatedByDefaultAsIdentity().primaryKey())
    : // AUTOINCREMENT: the id of an erased user is never given to somebody else.
      db.schema.createTable(users).addColumn('id', 'integer', (id) => id.primaryKey().autoIncrement())
  await withId
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('email_key', 'text', (column) => column.notNull().unique())
    .addColumn('phone', 'text')
    .addColumn('phone_key', 'text', (column) => column.unique())
    .addColumn('first_name', 'text')
    .addColumn('last_name', 'text')
    .addColumn('password_hash', 'text')
    .addColumn('is_active', 'integer', (column) => column.notNull())
    .addColumn('is_admin', 'integer', (column) => column.notNull())
    .addColumn('roles', 'text', (column) => column.notNull())
    .addColumn('epoch', 'integer', (column) => column.notNull())
    .addColumn('last_login_at', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex(`${users}_is_admin`).on(users).columns(['is_admin', 'is_active']).execute()
}

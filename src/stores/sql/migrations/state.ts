import type { SchemaStep } from './step.js'

/** Records, counters and queues of `SqlStateStore`. */
export const addState: SchemaStep = async (db, prefix) => {
  await db.schema
    .createTable(`${prefix}state`)
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex(`${prefix}state_expires_at`).on(`${prefix}state`).column('expires_at').execute()
  await db.schema
    .createTable(`${prefix}counters`)
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('total', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex(`${prefix}counters_expires_at`).on(`${prefix}counters`).column('expires_at').execute()
  await db.schema
    .createTable(`${prefix}queue`)
    .addColumn('queue', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('member', 'text', (column) => column.notNull())
    .addColumn('due_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint(`${prefix}queue_key`, ['queue', 'name'])
    .execute()
  await db.schema.createIndex(`${prefix}queue_due_at`).on(`${prefix}queue`).columns(['queue', 'due_at']).execute()
}

import type { Kysely } from 'kysely'

/** A step forward of the schema, for tables with the given prefix. There are no steps back: restore a backup instead. */
export type SchemaStep = (db: Kysely<unknown>, prefix: string) => Promise<void>

export { migrateToLatest, type MigrateOptions } from './migrate.js'
export { sqliteDialect, type SqlDialect, type SqliteDialectOptions } from './sqlite-dialect.js'
export type { SqlDatabase } from './database.js'

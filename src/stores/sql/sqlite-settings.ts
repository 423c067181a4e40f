import { z } from 'zod'
import { parseOptions } from '../../options.js'

/** What `sqliteDialect` takes. */
export interface SqliteDialectOptions {
  /** Path of the database file, made (for its owner only) if it isn't there; or `:memory:`. */
  readonly file: string
  /**
   * How long a write waits for another process that is writing, in milliseconds, and how long a statement waits for a
   * transaction of this process. Default 5000. The wait doesn't block the event loop.
   */
  readonly busyTimeoutMs?: number | undefined
  /**
   * `full` (default): an acknowledged write survives a crash of the process, of the machine, and a power cut. `normal`:
   * it survives a crash of the process (kill -9 too); a power cut may lose the last moments, but nothing gets corrupt.
   */
  readonly synchronous?: 'full' | 'normal' | undefined
}

const optionsSchema = z.strictObject({
  file: z.string().min(1, { error: "give a path, or ':memory:'" }),
  busyTimeoutMs: z.int().min(0).max(60_000).default(5_000),
  synchronous: z.enum(['full', 'normal']).default('full'),
})

/** The options of `sqliteDialect` with every default filled in. */
export type SqliteSettings = z.output<typeof optionsSchema>

/** @throws {@link InvalidOptionError} for a wrong option. */
export function sqliteSettings(options: SqliteDialectOptions): SqliteSettings {
  return parseOptions(optionsSchema, options, 'sqliteDialect')
}

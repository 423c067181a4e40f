import { z } from 'zod'
import { InvalidOptionError } from './errors.js'
import type { Logger, Runtime } from './runtime.js'

/**
 * Checks the options of a factory or constructor. Every option object is a `z.strictObject`, so that a misspelt option
 * stops the server at its start instead of being ignored.
 *
 * @param owner - who takes the options, for the message: `AuthyClient`.
 * @throws {@link InvalidOptionError} naming the first option that is wrong, and what it wants. Never its value.
 */
export function parseOptions<S extends z.ZodType>(schema: S, options: unknown, owner: string): z.output<S> {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  if (issue === undefined) throw new InvalidOptionError('options', `${owner}: the options are not valid`)
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const name = [...path, String(issue.keys[0])].join('.')
    const known = path.length === 0 ? knownKeys(schema) : []
    const hint = closest(String(issue.keys[0]), known)
    const advice = hint ? `did you mean '${hint}'?` : known.length > 0 ? `it takes: ${known.join(', ')}` : 'remove it'
    throw new InvalidOptionError(name, `${owner}: there is no option '${name}'; ${advice}`)
  }
  const name = path.join('.') || 'options'
  throw new InvalidOptionError(name, `${owner}: option '${name}' is wrong: ${issue.message}`)
}

/** Any function, typed as `F`: its parameters can't be checked from outside. */
export function functionOption<F>(message = 'give a function'): z.ZodType<F> {
  return z.custom<F>((value) => typeof value === 'function', { error: message })
}

/** An object that has at least these methods, typed as `T`: how a port (store, channel, client) is recognised. */
export function objectWith<T>(methods: readonly (keyof T & string)[], message: string): z.ZodType<T> {
  return z.custom<T>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof Reflect.get(value, method) === 'function'),
    { error: message },
  )
}

/** The `runtime` option that every factory takes. */
export const runtimeOption = z
  .strictObject({
    fetch: functionOption<NonNullable<Runtime['fetch']>>().optional(),
    now: functionOption<Runtime['now']>().optional(),
    sleep: functionOption<Runtime['sleep']>().optional(),
    randomBytes: functionOption<Runtime['randomBytes']>().optional(),
  })
  .transform(withoutUndefined)
  .optional()

/** The `logger` option that every factory takes. */
export const loggerOption = objectWith<Logger>(
  ['debug', 'info', 'warn', 'error'],
  'give an object with the methods debug, info, warn and error',
).optional()

// exactOptionalPropertyTypes: a key whose value is undefined is not the same as a missing one; spreading it would erase a default.
function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }
}

function knownKeys(schema: z.ZodType): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

function closest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current[j] = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution)
    }
    previous = current
  }
  return previous[b.length] ?? 0
}

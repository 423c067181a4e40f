import { isIP } from 'node:net'
import { z } from 'zod'
import { InvalidInputError } from '../../errors.js'

/** What every method takes, as its last argument or beside its other options. */
export interface MethodOptions {
  /** Abandons the call; what the service did already stays done. */
  readonly signal?: AbortSignal | undefined
}

/** An Authy id as a caller may give it. */
export type AuthyId = number | string

/**
 * Checks what a caller gave to a method, before anything is sent.
 *
 * @throws {@link InvalidInputError} naming the field. Never its value: it may be a code, and it comes from a stranger.
 */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown, method: string): z.output<S> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const path = issue?.path.map(String) ?? []
  if (issue?.code === 'unrecognized_keys') {
    const name = [...path, String(issue.keys[0])].join('.').slice(0, 60)
    throw new InvalidInputError(name, `${method}: there is no parameter '${name}'`)
  }
  const field = path.join('.').slice(0, 60) || 'input'
  throw new InvalidInputError(field, `${method}: ${field} is wrong: ${issue?.message ?? 'it is not valid'}`)
}

/** One positional argument; the error names it. */
export function parseField<S extends z.ZodType>(field: string, schema: S, value: unknown, method: string): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new InvalidInputError(
    field,
    `${method}: ${field} is wrong: ${result.error.issues[0]?.message ?? 'it is not valid'}`,
  )
}

const wellFormed = (text: string): boolean => !/\p{Cs}/u.test(text)
const lengthOf = (text: string): number => Array.from(text).length
const inRange = (length: number, min: number, max: number): boolean => length >= min && length <= max

/** Text of `min` to `max` characters (code points), well-formed Unicode, not only blanks. */
export function text(min: number, max: number): z.ZodType<string> {
  const error = `give text of ${min} to ${max} characters`
  return z
    .string({ error })
    .refine((value) => wellFormed(value) && lengthOf(value.trim()) >= min && lengthOf(value) <= max, { error })
}

/** The same, blanks around it not counted (as many again at most). It is sent as it is. */
export function trimmedText(min: number, max: number): z.ZodType<string> {
  const error = `give text of ${min} to ${max} characters`
  const isFit = (value: string): boolean =>
    wellFormed(value) && inRange(lengthOf(value.trim()), min, max) && lengthOf(value) <= 2 * max
  return z.string({ error }).refine(isFit, { error })
}

/** Digits only, the first not zero: nothing that could leave its place in a path. As text, because ids outgrow numbers. */
export const authyIdInput: z.ZodType<string> = z
  .union([z.int().positive(), z.string().regex(/^[1-9][0-9]{0,19}$/)], {
    error: 'give an Authy id: a positive whole number, or its digits as text',
  })
  .transform(String)

/** A one-time token. Never a number, which would have lost its leading zeros. */
export const tokenInput = z
  .string({ error: 'give the token as text' })
  .regex(/^[0-9]{6,12}$/, { error: 'a token has 6 to 12 digits' })

/** A code of a phone verification. */
export const codeInput = z
  .string({ error: 'give the code as text' })
  .regex(/^[0-9]{4,10}$/, { error: 'a code has 4 to 10 digits' })

export const uuidInput = z
  .string({ error: 'give a UUID' })
  .regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, { error: 'give a UUID' })

export const emailInput = z
  .string({ error: 'give an e-mail address' })
  .max(254, { error: 'an e-mail address has 254 characters at most' })
  // One @ with something on both sides; the verdict is the service's. Not stricter: it takes addresses beyond ASCII too.
  .regex(/^[^\s@\p{C}]+@[^\s@\p{C}]+\.[^\s@\p{C}]+$/u, { error: 'give an e-mail address' })

export const ipInput = z
  .string({ error: 'give an IPv4 or IPv6 address' })
  .refine((value) => isIP(value) !== 0, { error: 'give an IPv4 or IPv6 address' })

export const localeInput = z
  .string({ error: 'give a language tag such as pt-BR' })
  .max(35)
  .regex(/^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*$/, { error: 'give a language tag such as pt-BR' })

export const flagInput = z.boolean({ error: 'give true or false' })

/** The caller's signal: every method takes it in its last argument, and beside its other options too. */
export const signalInput = z.instanceof(AbortSignal, { error: 'give an AbortSignal' }).optional()

/** Optional on most calls: what the service may know for its fraud detection. */
export interface RequesterOptions extends MethodOptions {
  /** The person's IP address, v4 or v6. */
  readonly ip?: string | undefined
}

export const requesterInput = z.strictObject({ ip: ipInput.optional(), signal: signalInput })

const callInput = z.strictObject({ signal: signalInput })

/** The signal of a call, from its last argument or from its options, or both. */
export function callSignal(method: string, call: unknown, options: MethodOptions = {}): MethodOptions {
  const given = [parseInput(callInput, call, method).signal, options.signal].filter((signal) => signal !== undefined)
  const [first] = given
  if (first === undefined) return {}
  return { signal: given.length === 1 ? first : AbortSignal.any(given) }
}

/** What a method was called with, checked. */
export interface Arguments<T> {
  readonly id: string
  readonly given: T
  readonly call: MethodOptions
}

/** Checks the arguments of a method about one user: id, options, last `{ signal }`. */
export function userArguments<T extends MethodOptions>(
  method: string,
  schema: z.ZodType<T>,
  [authyId, options, call]: readonly [unknown, unknown, unknown],
): Arguments<T> {
  const id = parseField('authyId', authyIdInput, authyId, method)
  const given = parseInput(schema, options, method)
  return { id, given, call: callSignal(method, call, given) }
}

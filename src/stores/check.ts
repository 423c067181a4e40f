import { createHash } from 'node:crypto'
import type { JsonValue } from '../approval/json.js'
import { InvalidInputError } from '../errors.js'

const MAX_NAME_LENGTH = 512
const MAX_VALUE_BYTES = 262_144
const MAX_DEPTH = 64
const MAX_DURATION_MS = 400 * 86_400_000
const MAX_INCREMENT = 1_000_000_000
const MAX_TIME_MS = 8.64e15

/** Refuses a key, queue, member or topic that is not 1 to 512 characters. */
export function checkName(field: string, name: string): void {
  if (typeof name !== 'string' || name.length < 1 || name.length > MAX_NAME_LENGTH) {
    throw new InvalidInputError(field, `${field} must be a string of 1 to ${MAX_NAME_LENGTH} characters`)
  }
}

/** Refuses a duration that is not 1 ms to 400 days. */
export function checkDuration(field: string, ms: number): void {
  if (!Number.isInteger(ms) || ms < 1 || ms > MAX_DURATION_MS) {
    throw new InvalidInputError(field, `${field} must be a whole number of milliseconds, from 1 to 400 days`)
  }
}

/** Refuses a point in time that is not whole milliseconds since the epoch. */
export function checkTime(field: string, ms: number): void {
  if (!Number.isInteger(ms) || ms < 0 || ms > MAX_TIME_MS) {
    throw new InvalidInputError(field, `${field} must be whole milliseconds since the epoch`)
  }
}

/** Refuses an increment that would count backwards or beyond what every database adds exactly. */
export function checkIncrement(by: number): void {
  if (!Number.isInteger(by) || by < 0 || by > MAX_INCREMENT) {
    throw new InvalidInputError('by', `by must be a whole number from 0 to ${MAX_INCREMENT}`)
  }
}

/** Refuses a number of members to claim that is not 1 to 1000. */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new InvalidInputError('limit', 'limit must be a whole number from 1 to 1000')
  }
}

/** The JSON text of a value: at most 256 KiB, and nothing that JSON would lose without a word (NaN, undefined, a Date). */
export function encodeValue(value: JsonValue): string {
  if (!isJson(value, 0))
    throw new InvalidInputError('value', `the value must be plain JSON, nested at most ${MAX_DEPTH} deep`)
  const text = JSON.stringify(value)
  // A UTF-16 unit is at most three bytes of UTF-8: most values need no counting.
  if (text.length * 3 > MAX_VALUE_BYTES && Buffer.byteLength(text) > MAX_VALUE_BYTES) {
    throw new InvalidInputError('value', `the value must be at most ${MAX_VALUE_BYTES} bytes of JSON`)
  }
  return text
}

/** What {@link encodeValue} wrote. */
export function decodeValue(text: string): JsonValue {
  return JSON.parse(text) as JsonValue
}

function isJson(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth === MAX_DEPTH) return false
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  for (const key in value) {
    if (!isJson((value as Record<string, unknown>)[key], depth + 1)) return false
  }
  return true
}

/**
 * The name under which a database keeps a key. Most keys stay readable. The others (control characters, lone surrogates
 * that two different keys would lose to the same UTF-8, lengths that an index does not take) become a digest.
 */
export function storedName(name: string): string {
  return /^[\w.:@/+=,;$&()[\] -]{1,160}$/.test(name)
    ? name
    : `#${createHash('sha256').update(name, 'utf16le').digest('base64url')}`
}

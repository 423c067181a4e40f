import { createHash } from 'node:crypto'
import { InvalidInputError } from '../errors.js'
import type { JsonObject, JsonValue } from './json.js'

const maxDepth = 16
const maxBytes = 65_536

/**
 * RFC 8785 (JSON Canonicalization Scheme) of plain data: objects with their names sorted by UTF-16 code units, strings
 * as ECMAScript writes them. Numbers must be safe integers: fractions and big numbers have more than one reading on the
 * way between systems, and what is approved must have one. Write amounts in the smallest unit, or as strings.
 *
 * @throws InvalidInputError for anything else, for lone surrogates, for more than 16 levels.
 */
export function canonicalJson(value: JsonValue): string {
  return write(value, 0)
}

/**
 * What an approval is good for: SHA-256, in hex, over the RFC 8785 form of `{ bound, purpose, subject }`.
 * @throws InvalidInputError when `bound` isn't plain data or its canonical form is longer than 64 KiB.
 */
export function bindingOf(purpose: string, subject: string, bound: JsonObject): string {
  const text = canonicalJson({ purpose, subject, bound })
  if (Buffer.byteLength(text) > maxBytes) throw refused('is longer than 64 KiB')
  return createHash('sha256').update(text).digest('hex')
}

function write(value: unknown, depth: number): string {
  if (depth > maxDepth) throw refused('is nested too deep')
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw refused('holds a lone surrogate')
      return JSON.stringify(value)
    case 'boolean':
      return String(value)
    case 'number':
      if (!Number.isSafeInteger(value)) throw refused('holds a number that is not a safe integer')
      return JSON.stringify(value)
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth)
    default:
      throw refused(`holds a ${typeof value}`)
  }
}

function writeArray(value: readonly unknown[], depth: number): string {
  return `[${Array.from(value, (entry) => write(entry, depth + 1)).join(',')}]`
}

function writeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  // A Date or a Map would be written as {} and bind nothing.
  if (prototype !== Object.prototype && prototype !== null) throw refused('holds something that is not plain data')
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${write(name, depth + 1)}:${write(Reflect.get(value, name), depth + 1)}`).join(',')}}`
}

function refused(what: string): InvalidInputError {
  return new InvalidInputError(
    'bound',
    `what is bound to an approval ${what}; give plain JSON of strings, integers, booleans`,
  )
}

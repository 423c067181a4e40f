import type { JsonObject, JsonValue } from '../approval/json.js'
import { parseMailbox } from './mail-address.js'
import { pythonTextAt, type JsonPath } from './python-text.js'

/**
 * The part of JSON Schema (2020-12) that requests of this room need. The same objects stand in the OpenAPI document, so
 * that what is published is what is checked.
 */
export interface Schema {
  readonly type:
    'string' | 'boolean' | 'array' | 'object' | readonly ['string' | 'boolean' | 'array' | 'object', 'null']
  readonly description?: string
  /** Of a string. `email`: it contains an `@`, which is all that the original asks for. `mailbox`: it is one address. */
  readonly format?: 'email' | 'mailbox'
  /** In characters (Unicode code points). */
  readonly maxLength?: number
  readonly pattern?: string
  readonly items?: Schema
  readonly maxItems?: number
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
}

/** The first thing that is wrong with a value, in the order and the words of the original. */
export interface SchemaError {
  readonly path: JsonPath
  /** Everything after the value: ` is not of type 'string'`. Without a value in front: `'email' is a required property`. */
  readonly rest: string
  readonly showsValue: boolean
}

/** The first error: the type of the whole, then what is required, then the members one after the other. */
export function schemaError(schema: Schema, value: unknown, path: JsonPath = []): SchemaError | undefined {
  const [type, nullable] = typeof schema.type === 'string' ? [schema.type, false] : [schema.type[0], true]
  if (value === null && nullable) return undefined
  if (!hasType(type, value)) return wrong(path, ` is not of type '${type}'`)
  if (typeof value === 'string') return stringError(schema, value, path)
  if (Array.isArray(value)) return arrayError(schema, value, path)
  return isObject(value) ? objectError(schema, value, path) : undefined
}

/** The error as the text that the original would send. */
export function errorText(error: SchemaError, source: string): string {
  return error.showsValue ? pythonTextAt(source, error.path) + error.rest : error.rest
}

/** The member of an object, its own only: `__proto__` and the like are never found. */
export function member(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** A member that is a string, or else the empty text. */
export function stringMember(object: JsonObject, name: string): string {
  const value = member(object, name)
  return typeof value === 'string' ? value : ''
}

/** True for a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value)
  return type === 'object' ? isObject(value) : typeof value === type
}

const formats = {
  email: (value: string): boolean => value.includes('@'),
  mailbox: (value: string): boolean => parseMailbox(value) !== undefined,
} as const

function stringError(schema: Schema, value: string, path: JsonPath): SchemaError | undefined {
  if (schema.format !== undefined && !formats[schema.format](value)) return wrong(path, " is not a 'email'")
  if (schema.maxLength !== undefined && Array.from(value).length > schema.maxLength) return wrong(path, ' is too long')
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) {
    return wrong(path, ` does not match '${schema.pattern}'`)
  }
  return undefined
}

function arrayError(schema: Schema, value: readonly unknown[], path: JsonPath): SchemaError | undefined {
  if (schema.maxItems !== undefined && value.length > schema.maxItems) return wrong(path, ' is too long')
  const { items } = schema
  if (items === undefined) return undefined
  for (const [index, item] of value.entries()) {
    const error = schemaError(items, item, [...path, index])
    if (error !== undefined) return error
  }
  return undefined
}

function objectError(schema: Schema, value: JsonObject, path: JsonPath): SchemaError | undefined {
  const missing = schema.required?.find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) return { path, rest: `'${missing}' is a required property`, showsValue: false }
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    if (!Object.hasOwn(value, name)) continue
    const error = schemaError(inner, value[name], [...path, name])
    if (error !== undefined) return error
  }
  return undefined
}

function wrong(path: JsonPath, rest: string): SchemaError {
  return { path, rest, showsValue: true }
}

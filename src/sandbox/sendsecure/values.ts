/** A value that JSON can carry. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }
export type JsonObject = { readonly [key: string]: JsonValue }

/** Reading of what callers send: anything may be there, and null is the same as nothing. */

export type Loose = Readonly<Record<string, unknown>>

export function record(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

/** The object that a body carries under its name, or, as the official PHP client sends it, with no name around it. */
export function wrapped(body: Loose, name: string): Loose {
  return name in body ? record(body[name]) : body
}

export function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  return undefined
}

/** Text that may also be a number: ids. */
export function idText(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : text(value)
}

export function whole(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
}

export function flag(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  return value === 'true' || value === 1 || value === '1' ? true : undefined
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

import { inspect, isDeepStrictEqual } from 'node:util'
import type { Json } from './format.js'

const matchers: Readonly<Record<string, (value: unknown) => boolean>> = {
  '<<any>>': () => true,
  '<<string>>': (value) => typeof value === 'string' && value !== '',
  '<<int>>': (value) => Number.isInteger(value) && Number(value) > 0,
  '<<jwt>>': (value) => typeof value === 'string' && /^[\w-]+\.[\w-]+\.[\w-]*$/.test(value),
  '<<uuid>>': (value) =>
    typeof value === 'string' && /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(value),
  '<<datetime>>': (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/.test(value),
}

/** Where a value differs from what is expected of it; undefined if nowhere. */
export function difference(expected: Json, actual: unknown, path = ''): string | undefined {
  if (typeof expected === 'string') return textDifference(expected, actual, path)
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return differs(expected, actual, path)
    return firstOf(expected.map((item, index) => difference(item, actual[index], `${path}/${index}`)))
  }
  if (typeof expected !== 'object' || expected === null) {
    return isDeepStrictEqual(expected, actual) ? undefined : differs(expected, actual, path)
  }
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return differs(expected, actual, path)
  const extra = Object.keys(actual).find((name) => !Object.hasOwn(expected, name))
  if (extra !== undefined) return `${path}/${extra} is not expected`
  return firstOf(
    Object.entries(expected).map(([name, value]) =>
      Object.hasOwn(actual, name)
        ? difference(value, Reflect.get(actual, name), `${path}/${name}`)
        : `${path}/${name} is missing`,
    ),
  )
}

function textDifference(expected: string, actual: unknown, path: string): string | undefined {
  const pattern = /^<<re:(.*)>>$/s.exec(expected)?.[1]
  if (pattern === undefined && /^<<[a-z-]+>>$/.test(expected) && matchers[expected] === undefined) {
    return `${path || '/'}: there is no matcher ${expected}`
  }
  const matches =
    pattern === undefined
      ? (matchers[expected]?.(actual) ?? actual === expected)
      : typeof actual === 'string' && new RegExp(pattern, 'u').test(actual)
  return matches ? undefined : differs(expected, actual, path)
}

function firstOf(differences: readonly (string | undefined)[]): string | undefined {
  return differences.find((entry) => entry !== undefined)
}

function differs(expected: unknown, actual: unknown, path: string): string {
  return `${path || '/'}: expected ${JSON.stringify(expected)}, got ${inspect(actual).slice(0, 300)}`
}

/** The value at a JSON pointer. */
export function at(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
      value,
    )
}

/** The saved values of a scenario. */
export class Variables {
  readonly #values: Map<string, unknown>

  /** `sources` are objects whose members can be named: `config.x`, `config.x.y`. */
  constructor(sources: Readonly<Record<string, unknown>>) {
    this.#values = new Map(namedValues(sources, ''))
  }

  set(name: string, value: unknown): void {
    this.#values.set(name, value)
  }

  /** Replaces `{{name}}` everywhere; alone in a string it keeps the value's type. */
  fill<T extends Json | undefined>(value: T): T {
    return this.#fill(value) as T
  }

  text(value: string): string {
    return String(this.#fill(value))
  }

  #fill(value: unknown): unknown {
    if (typeof value === 'string') {
      const whole = /^\{\{([^{}]+)\}\}$/.exec(value)?.[1]
      if (whole !== undefined) return this.#get(whole)
      return value.replaceAll(/\{\{([^{}]+)\}\}/g, (_all, name: string) => String(this.#get(name)))
    }
    if (Array.isArray(value)) return value.map((item) => this.#fill(item))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.#fill(inner)]))
  }

  // Double braces that name nothing are text: a reset template may hold them.
  #get(name: string): unknown {
    return this.#values.has(name) ? this.#values.get(name) : `{{${name}}}`
  }
}

function namedValues(values: object, prefix: string): readonly (readonly [string, unknown])[] {
  return Object.entries(values).flatMap(([name, value]: [string, unknown]) => [
    [prefix + name, value] as const,
    ...(typeof value === 'object' && value !== null && !Array.isArray(value)
      ? namedValues(value, `${prefix}${name}.`)
      : []),
  ])
}

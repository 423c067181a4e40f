import { z } from 'zod'

/** `created_at` to `createdAt`, in types. */
type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S

type Read<Shape extends z.ZodRawShape> = {
  readonly [Name in keyof Shape & string as Camel<Name>]: z.output<Shape[Name]>
} & { readonly extra: Readonly<Record<string, unknown>> }

/** `created_at` to `createdAt`. */
export function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}

/** `createdAt` to `created_at`. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/**
 * Reads an object of the wire: known fields are checked and get their camelCase names, unknown ones are kept in `extra`.
 * A known field of the wrong type is an error, never an undefined value.
 */
export function wireObject<Shape extends z.ZodRawShape>(shape: Shape): z.ZodType<Read<Shape>> {
  return z.looseObject(shape).transform((value) => {
    const entries = Object.entries(value)
    const extra = Object.freeze(Object.fromEntries(entries.filter(([name]) => !Object.hasOwn(shape, name))))
    const known = Object.keys(shape).map((name) => [camel(name), Reflect.get(value, name)])
    return Object.freeze({ ...Object.fromEntries(known), extra }) as Read<Shape>
  })
}

/** Absent and null are the same in answers. */
export function maybe<S extends z.ZodType>(schema: S): z.ZodType<z.output<S> | undefined> {
  return schema.nullish().transform((value) => value ?? undefined)
}

/** A list; absent and null are the empty list. */
export function listOf<S extends z.ZodType>(schema: S): z.ZodType<readonly z.output<S>[]> {
  return z
    .array(schema)
    .nullish()
    .transform((value) => value ?? [])
}

/** A list that may be missing from this answer. */
export function maybeList<S extends z.ZodType>(schema: S): z.ZodType<readonly z.output<S>[] | undefined> {
  return maybe(z.array(schema))
}

/** Ids are numbers in some bodies and text in others. */
export const looseId = z.union([z.string(), z.number()]).transform(String)

/** Undefined for what is no JSON: proxies answer too. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** ISO 8601, as the service writes it. Its times are UTC, also where one does not say so. */
export const time = z.string().transform((text, context) => {
  const date = new Date(/T[\d:.,]+$/.test(text) ? `${text}Z` : text)
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(date.getTime())) {
    context.addIssue({ code: 'custom', message: 'not an ISO 8601 time' })
    return z.NEVER
  }
  return date
})

/**
 * Adds values that can be read by name but that `JSON.stringify`, `inspect()`, `Object.keys` and spreading don't show,
 * so that they reach a log only on purpose.
 */
export function withSecrets<T extends object, S extends object>(object: T, secrets: S): T & Readonly<S> {
  const copy = { ...object }
  for (const [name, value] of Object.entries(secrets)) {
    Object.defineProperty(copy, name, { get: () => value as unknown, enumerable: false })
  }
  return Object.freeze(copy) as T & Readonly<S>
}

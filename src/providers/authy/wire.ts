import { z } from 'zod'

// What the service sends, under its own names (Authy API reference), and what becomes of it. Unknown fields are ignored; a known field of the wrong
// type makes the whole answer an error, so that nothing is decided on a value that nobody meant.

/** What is often missing, or null: undefined for our users. */
export const maybe = <S extends z.ZodType>(schema: S) => schema.nullish().transform((value) => value ?? undefined)

export const text = z.string()
/** Digits: a number, or text. A number that a double can't hold exactly is somebody else's id. */
export const wireId = z.union([z.int().positive(), z.string().regex(/^[1-9][0-9]{0,19}$/)]).transform(String)
export const count = z.int().min(0)
export const date = z.iso.datetime({ offset: true }).transform((value) => new Date(value))
/** Seconds since the epoch; 0 is said of what has never happened. */
export const epochSeconds = z.number().transform((seconds) => (seconds === 0 ? undefined : new Date(seconds * 1000)))

/** `success`: `true`, or on verify the text `"true"`. Everything else is no success, the text `"false"` above all. */
export const wireSuccess = z.union([z.literal(true), z.literal('true')])

/** Codes that the service gives its refusals: what `providerCode` of an error may be compared with. As text, as on the wire. */
export const authyCodes = Object.freeze({
  invalidApiKey: '60001',
  userDoesNotExist: '60016',
  tokenUsedBefore: '60019',
  tokenInvalid: '60020',
  verificationCodeIncorrect: '60022',
  noPendingVerification: '60023',
  userNotFound: '60026',
  approvalRequestNotFound: '60049',
  totpCodeInvalid: '60118',
})

/** The body of a refusal, as far as it can be read. */
export const refusalBody = z.object({
  message: maybe(text).catch(undefined),
  error_code: z
    .union([z.string().regex(/^[0-9]{1,8}$/), z.int().min(0).transform(String)])
    .nullish()
    .catch(undefined),
  token: maybe(text).catch(undefined),
  errors: maybe(z.record(z.string(), z.unknown())).catch(undefined),
  success: z.unknown(),
})

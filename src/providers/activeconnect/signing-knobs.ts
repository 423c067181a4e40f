import { z } from 'zod'
import { InvalidOptionError } from '../../errors.js'

/**
 * The two ways in which Activeconnect's requests are signed. The vendor's shipped code and its documentation differ in
 * five points; `shipped` is what two vendor clients and a vendor server agree on.
 */
export type ActiveconnectDialect = 'shipped' | 'documented'

/** Every point in which implementations of the signature differ. A dialect is a preset of these. */
export interface ActiveconnectKnobs {
  /** How the nonce goes into the token: its text, or its 8 bytes. */
  readonly tokenNonce: 'text' | 'binary'
  /** The nonce's text: 16 upper-case hexadecimal digits, plain decimal, or 20 decimal digits. */
  readonly nonceFormat: 'hex16' | 'dec' | 'dec20'
  /** Byte order of the nonce, for `tokenNonce: 'binary'` only. */
  readonly nonceByteOrder: 'be' | 'le'
  /** How the secret's characters become bytes. */
  readonly secretEncoding: 'utf8' | 'base64' | 'hex'
  /** Whether the signed URL keeps its leading `https://`. */
  readonly uriForm: 'noscheme' | 'absolute'
  /** The brand in the header names: `X-<prefix>-...`. */
  readonly headerPrefix: string
  /** The word in the header names; the documentation misspells it. */
  readonly headerSpelling: 'Authentication' | 'Authentiaction'
  /** The header that carries the credential. */
  readonly credentialHeader: 'Authentication' | 'Authorization'
}

/** The presets. */
export const ACTIVECONNECT_DIALECTS: Readonly<Record<ActiveconnectDialect, ActiveconnectKnobs>> = Object.freeze({
  shipped: Object.freeze({
    tokenNonce: 'text',
    nonceFormat: 'hex16',
    nonceByteOrder: 'be',
    secretEncoding: 'utf8',
    uriForm: 'noscheme',
    headerPrefix: 'Sonikpass',
    headerSpelling: 'Authentication',
    credentialHeader: 'Authentication',
  }),
  documented: Object.freeze({
    tokenNonce: 'binary',
    nonceFormat: 'dec20',
    nonceByteOrder: 'be',
    secretEncoding: 'base64',
    uriForm: 'absolute',
    headerPrefix: 'Activeconnect',
    headerSpelling: 'Authentiaction',
    credentialHeader: 'Authentication',
  }),
})

/** @internal The options that every function and class which signs or verifies takes, for a `z.strictObject`. */
export const knobOptions = {
  dialect: z.enum(['shipped', 'documented']).optional(),
  tokenNonce: z.enum(['text', 'binary']).optional(),
  nonceFormat: z.enum(['hex16', 'dec', 'dec20']).optional(),
  nonceByteOrder: z.enum(['be', 'le']).optional(),
  secretEncoding: z.enum(['utf8', 'base64', 'hex']).optional(),
  uriForm: z.enum(['noscheme', 'absolute']).optional(),
  headerPrefix: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/, 'give a word of letters, digits and hyphens')
    .optional(),
  headerSpelling: z.enum(['Authentication', 'Authentiaction']).optional(),
  credentialHeader: z.enum(['Authentication', 'Authorization']).optional(),
}

/** The knobs as a caller gives them: a dialect, and what differs from it. */
export type ActiveconnectKnobOptions = {
  readonly [K in keyof ActiveconnectKnobs]?: ActiveconnectKnobs[K] | undefined
} & { readonly dialect?: ActiveconnectDialect | undefined }

/** @internal */
export interface ResolvedKnobs extends ActiveconnectKnobs {
  readonly dialect: ActiveconnectDialect
  /** A verifier of dialect `shipped` takes both known texts of a nonce unless one was asked for. */
  readonly nonceFormatPinned: boolean
}

/** @internal Fills in the dialect's preset. */
export function resolveKnobs(options: ActiveconnectKnobOptions): ResolvedKnobs {
  const dialect = options.dialect ?? 'shipped'
  const preset = ACTIVECONNECT_DIALECTS[dialect]
  return {
    dialect,
    tokenNonce: options.tokenNonce ?? preset.tokenNonce,
    nonceFormat: options.nonceFormat ?? preset.nonceFormat,
    nonceByteOrder: options.nonceByteOrder ?? preset.nonceByteOrder,
    secretEncoding: options.secretEncoding ?? preset.secretEncoding,
    uriForm: options.uriForm ?? preset.uriForm,
    headerPrefix: options.headerPrefix ?? preset.headerPrefix,
    headerSpelling: options.headerSpelling ?? preset.headerSpelling,
    credentialHeader: options.credentialHeader ?? preset.credentialHeader,
    nonceFormatPinned: options.nonceFormat !== undefined || dialect === 'documented',
  }
}

const SECRET_BYTES = 24

/**
 * @internal The secret's bytes.
 * @throws {@link InvalidOptionError} if the characters are not of the encoding, or (dialect `documented`) not 24 bytes.
 */
export function secretBytes(secret: string, knobs: ResolvedKnobs, option = 'secret'): Buffer {
  const bytes = decodeSecret(secret, knobs.secretEncoding, option)
  if (bytes.length === 0) throw new InvalidOptionError(option, `Activeconnect: option '${option}' is empty`)
  if (knobs.dialect === 'documented' && bytes.length !== SECRET_BYTES) {
    throw new InvalidOptionError(
      option,
      `Activeconnect: in dialect 'documented', option '${option}' must decode to ${SECRET_BYTES} bytes`,
    )
  }
  return bytes
}

function decodeSecret(secret: string, encoding: ActiveconnectKnobs['secretEncoding'], option: string): Buffer {
  if (encoding === 'utf8') return Buffer.from(secret, 'utf8')
  if (encoding === 'hex') {
    // The vendor's older generator prints 24 bytes without their leading zeros.
    if (/^[0-9a-fA-F]+$/.test(secret)) {
      return Buffer.from(secret.padStart(secret.length > 48 ? secret.length + (secret.length % 2) : 48, '0'), 'hex')
    }
  } else if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(secret)) {
    return Buffer.from(secret, 'base64')
  }
  throw new InvalidOptionError(option, `Activeconnect: option '${option}' is not ${encoding}, as secretEncoding says`)
}

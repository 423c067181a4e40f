import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { InvalidOptionError } from '../../errors.js'
import { functionOption, parseOptions } from '../../options.js'
import {
  knobOptions,
  resolveKnobs,
  secretBytes,
  type ActiveconnectKnobOptions,
  type ResolvedKnobs,
} from './signing-knobs.js'

const MAX_NONCE = (1n << 64n) - 1n
const DEFAULT_MAX_SKEW_SECONDS = 300

/** What {@link signActiveconnectRequest} takes, beside the knobs. */
export interface SignActiveconnectOptions extends ActiveconnectKnobOptions {
  /** The application id, or a session's token. */
  readonly clientId: string
  /** The application's secret, or the session's. */
  readonly secret: string
  /** The absolute URL in exactly the characters that will be sent. A fragment is not sent, so it is not signed. */
  readonly url: string
  /** 0 to 2^64-1. Default: 64 random bits. Never use one twice. */
  readonly nonce?: bigint | undefined
  /** Unix time in whole seconds. Default: now. */
  readonly timestampSeconds?: number | undefined
}

/** The headers of a signed request. */
export interface SignedActiveconnectRequest {
  /** The nonce as it goes out. */
  readonly nonce: string
  readonly headers: Readonly<Record<string, string>>
}

const signOptions = z.strictObject({
  ...knobOptions,
  clientId: z.string().regex(/^[^\s:]+$/, "give the client id, without ':' and white space"),
  secret: z.string().min(1, 'give the secret'),
  url: z.string().regex(/^https?:\/\/[^\s]+$/i, 'give the absolute http or https URL'),
  nonce: z.bigint().min(0n).max(MAX_NONCE).optional(),
  timestampSeconds: z.int().min(0).max(9_999_999_999).optional(),
})

/**
 * Signs a request to Activeconnect (signing version 1): HMAC-SHA-256, cut to 128 bits, over nonce, URL and time. The
 * method and the body are **not** covered; that is the provider's scheme.
 *
 * @throws InvalidOptionError for a client id, secret or URL that cannot be signed.
 */
export function signActiveconnectRequest(options: SignActiveconnectOptions): SignedActiveconnectRequest {
  const given = parseOptions(signOptions, options, 'signActiveconnectRequest')
  const knobs = resolveKnobs(given)
  const nonce = nonceText(given.nonce ?? randomBytes(8).readBigUInt64BE(), knobs.nonceFormat)
  const timestamp = String(given.timestampSeconds ?? Math.floor(Date.now() / 1000))
  const url = given.url.replace(/#.*$/s, '')
  const signature = digest({ nonce, url, timestamp, secret: secretBytes(given.secret, knobs) }, knobs)
  return {
    nonce,
    headers: {
      [knobs.credentialHeader]: `hmac ${given.clientId}:${nonce}:${signature}`,
      [headerName(knobs, 'Timestamp')]: timestamp,
      [headerName(knobs, 'Version')]: '1',
    },
  }
}

/** What {@link verifyActiveconnectRequest} takes, beside the knobs. */
export interface VerifyActiveconnectOptions extends ActiveconnectKnobOptions {
  /** The absolute URL: a base of your own and the raw request target, not decoded. Never from a `Host` you don't trust. */
  readonly url: string
  /** The headers as Node gives them; case of the names is free. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The secret of a client id, where there is such a client. Look up only the kind of client that the URL belongs to. */
  readonly secretOf: (clientId: string) => string | undefined
  /** Unix time of the verifier. */
  readonly nowSeconds: number
  /** Default 300; both ways, limits included. */
  readonly maxSkewSeconds?: number | undefined
  /** Whether the client used this nonce before; asked last, and answered at once. Remember a nonce, after `ok: true`, for twice the skew. */
  readonly isNonceSeen?: ((clientId: string, nonce: string) => boolean) | undefined
}

const ASYNCHRONOUS =
  "verifyActiveconnectRequest: option 'isNonceSeen' must answer true or false at once; where nonces are kept elsewhere, look there after ok: true"

/** Why a signed request was refused. Say none of it to the sender. */
export type ActiveconnectRefusal =
  | 'missing-credentials'
  | 'version'
  | 'malformed-credentials'
  | 'timestamp-format'
  | 'timestamp-skew'
  | 'unknown-client'
  | 'signature'
  | 'replay'

/** The outcome of {@link verifyActiveconnectRequest}. */
export type VerifiedActiveconnectRequest =
  | { readonly ok: true; readonly clientId: string; readonly nonce: string }
  | { readonly ok: false; readonly reason: ActiveconnectRefusal }

const verifyOptions = z.strictObject({
  ...knobOptions,
  url: z.string(),
  headers: z.custom<VerifyActiveconnectOptions['headers']>((value) => typeof value === 'object' && value !== null, {
    error: 'give the headers as an object',
  }),
  secretOf: functionOption<VerifyActiveconnectOptions['secretOf']>(),
  nowSeconds: z.number(),
  maxSkewSeconds: z.number().min(0).optional(),
  isNonceSeen: functionOption<NonNullable<VerifyActiveconnectOptions['isNonceSeen']>>().optional(),
})

/**
 * Verifies a request signed as Activeconnect does it. Hostile URLs and headers are refused, never thrown at.
 *
 * @throws InvalidOptionError for wrong options, and for a secret of ours that is not of the encoding in the knobs.
 */
export function verifyActiveconnectRequest(options: VerifyActiveconnectOptions): VerifiedActiveconnectRequest {
  const given = parseOptions(verifyOptions, options, 'verifyActiveconnectRequest')
  const knobs = resolveKnobs(given)
  const read = readCredential(given.headers, knobs)
  if ('reason' in read) return refuse(read.reason)
  const { clientId, nonce, signature, timestamp } = read
  // Strict: nothing separates the URL from the time in what is signed, so a digit could move from one to the other.
  if (!/^[1-9][0-9]{9}$/.test(timestamp)) return refuse('timestamp-format')
  const skew = Math.abs(given.nowSeconds - Number(timestamp))
  if (!(skew <= (given.maxSkewSeconds ?? DEFAULT_MAX_SKEW_SECONDS))) return refuse('timestamp-skew')

  const secret = given.secretOf(clientId)
  // An unknown client costs as much as a wrong signature.
  const key = secret === undefined ? randomBytes(24) : secretBytes(secret, knobs)
  const isEqual = equal(digest({ nonce, url: given.url, timestamp, secret: key }, knobs), signature)
  if (secret === undefined) return refuse('unknown-client')
  if (!isEqual) return refuse('signature')
  const isSeen: unknown = given.isNonceSeen?.(clientId, nonce)
  // A promise is neither true nor false, and would let every repeat through.
  if (typeof isSeen === 'object') throw new InvalidOptionError('isNonceSeen', ASYNCHRONOUS)
  if (isSeen === true) return refuse('replay')
  return { ok: true, clientId, nonce }
}

interface Credential {
  readonly clientId: string
  readonly nonce: string
  readonly signature: string
  readonly timestamp: string
}

function readCredential(
  headers: VerifyActiveconnectOptions['headers'],
  knobs: ResolvedKnobs,
): Credential | { readonly reason: ActiveconnectRefusal } {
  const credentials = [...valuesOf(headers, 'Authentication'), ...valuesOf(headers, 'Authorization')]
  const timestamps = valuesOf(headers, headerName(knobs, 'Timestamp'))
  const versions = valuesOf(headers, headerName(knobs, 'Version'))
  const [credential] = credentials
  if (credential === undefined || timestamps.length === 0 || versions.length === 0) {
    return { reason: 'missing-credentials' }
  }
  if (versions.join() !== '1') return { reason: 'version' }
  if (new Set(credentials).size !== 1) return { reason: 'malformed-credentials' }
  const match = /^hmac ([^\s:]+):([0-9A-Fa-f]{1,20}):([A-Za-z0-9+/]{22}==)$/i.exec(credential)
  const [, clientId, nonce, signature] = match ?? []
  if (clientId === undefined || nonce === undefined || signature === undefined || !isNonceText(nonce, knobs)) {
    return { reason: 'malformed-credentials' }
  }
  return { clientId, nonce, signature, timestamp: timestamps.join() }
}

function valuesOf(headers: VerifyActiveconnectOptions['headers'], name: string): readonly string[] {
  return Object.entries(headers)
    .filter(([key]) => key.toLowerCase() === name.toLowerCase())
    .flatMap(([, value]) => value ?? [])
    .filter((value) => typeof value === 'string')
}

function isNonceText(text: string, knobs: ResolvedKnobs): boolean {
  const isHex16 = /^[0-9A-Fa-f]{16}$/.test(text)
  const isDecimal = /^[0-9]{1,20}$/.test(text) && BigInt(text) <= MAX_NONCE
  if (!knobs.nonceFormatPinned) return isHex16 || isDecimal
  if (knobs.nonceFormat === 'hex16') return isHex16
  return isDecimal && (knobs.nonceFormat === 'dec' ? /^(?:0|[1-9][0-9]*)$/.test(text) : text.length === 20)
}

function nonceText(nonce: bigint, format: ResolvedKnobs['nonceFormat']): string {
  if (format === 'hex16') return nonce.toString(16).toUpperCase().padStart(16, '0')
  return format === 'dec' ? nonce.toString() : nonce.toString().padStart(20, '0')
}

function nonceBytes(text: string, knobs: ResolvedKnobs): Buffer {
  if (knobs.tokenNonce === 'text') return Buffer.from(text, 'ascii')
  const isHex = knobs.nonceFormat === 'hex16' && text.length === 16
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(isHex ? `0x${text}` : text))
  return knobs.nonceByteOrder === 'be' ? bytes : bytes.reverse()
}

function digest(
  input: { readonly nonce: string; readonly url: string; readonly timestamp: string; readonly secret: Buffer },
  knobs: ResolvedKnobs,
): string {
  const token = createHash('sha256')
    .update(nonceBytes(input.nonce, knobs))
    .update(input.secret)
    .digest()
    .subarray(0, 16)
  // Only the leading scheme: removing up to the last '://', as the vendor's code does, lets one signature open any URL.
  const uri = knobs.uriForm === 'absolute' ? input.url : input.url.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
  const mac = createHmac('sha256', token).update(input.nonce).update(uri).update(input.timestamp).digest()
  return mac.subarray(0, 16).toString('base64')
}

function headerName(knobs: ResolvedKnobs, part: 'Timestamp' | 'Version'): string {
  return `X-${knobs.headerPrefix}-${knobs.headerSpelling}-${part}`
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

function refuse(reason: ActiveconnectRefusal): VerifiedActiveconnectRequest {
  return { ok: false, reason }
}

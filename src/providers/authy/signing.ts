import { limits, SigningFault } from './signing-fault.js'
import { writeParameters } from './signing-form.js'
import { readJsonObject } from './signing-json.js'
import { macOf, macRoom, withMacRoom } from './signing-mac.js'
import type { Tape } from './signing-tape.js'
import { signedUrl } from './signing-url.js'

/**
 * The signature of OneTouch callbacks (Authy API reference, "Verifying the callback"): HMAC-SHA-256 with the API key as
 * text over `nonce|METHOD|url|parameters`. Pure: bytes in, bytes out; no HTTP, no clock. The webhook verifies with it,
 * the sandbox signs with it.
 */

/** What is under a signature. */
export interface OneTouchMessage {
  /** The value of `X-Authy-Signature-Nonce`. */
  readonly nonce: string
  /** `POST` or `GET`, in any case. */
  readonly method: string
  /** The whole public URL of the callback as configured at the service. Query and fragment are cut off. */
  readonly url: string
  /** The body of a POST: the bytes as received. Text is taken as UTF-8. */
  readonly rawBody?: Uint8Array | string | undefined
  /** The query of a GET as received: what stands between `?` and `#`. */
  readonly rawQuery?: string | undefined
}

/** The same as it comes over the wire, where anything may be anything. */
export type UncheckedMessage = { readonly [K in keyof OneTouchMessage]: unknown }

/** The string under the signature, and what was read on the way to it. */
export interface SignedBytes {
  readonly nonce: string
  /** UTF-8, behind the room for the key that `macOf` needs. Good until the next call. */
  readonly text: Buffer
  /** The body of a POST, read. Good until the next call. */
  readonly tape: Tape | undefined
}

/** A canonical signature: standard base64 of 32 bytes, 44 characters, the unused bits of the last digit zero. */
const SIGNATURE = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/

/**
 * Builds what is signed.
 *
 * @throws {@link SigningFault} if the message is not one that the service can have signed.
 */
export function bytesToSign(message: UncheckedMessage): SignedBytes {
  const { nonce, rawBody, rawQuery } = message
  if (!isWellFormedText(nonce) || nonce === '') throw new SigningFault('nonce')
  const method = methodOf(message.method)
  if (typeof message.url !== 'string') throw new SigningFault('url')
  const head = `${nonce}|${method}|${signedUrl(message.url)}|`
  if (method === 'GET') {
    if (!isWellFormedText(rawQuery)) throw new SigningFault('query')
    if (rawQuery.length > limits.bytes) throw new SigningFault('too-large')
    return { nonce, text: withMacRoom(head + rawQuery), tape: undefined }
  }
  const tape = readJsonObject(bodyBytes(rawBody))
  return { nonce, text: writeParameters(tape, head), tape }
}

/**
 * The parameters of a JSON body as they are signed, and as a GET callback carries them in its query.
 *
 * @throws {@link SigningFault} if the body is not a JSON object within the limits.
 */
export function joinedParameters(rawBody: Uint8Array | string): string {
  return writeParameters(readJsonObject(bodyBytes(rawBody)), '').toString('latin1', macRoom)
}

/**
 * The signature as the header carries it.
 *
 * @throws {@link SigningFault} if the message can't be signed.
 */
export function signMessage(apiKey: string, message: OneTouchMessage): string {
  return macOf(apiKey, bytesToSign(message).text).toString('base64')
}

/** A signature as the header carries it, and its 32 bytes. */
export interface Signature {
  readonly text: string
  readonly bytes: Buffer
}

/** Reads a signature header, or gives undefined if it isn't exactly one canonical signature. */
export function readSignature(header: unknown): Signature | undefined {
  if (typeof header !== 'string' || !SIGNATURE.test(header)) return undefined
  return { text: header, bytes: Buffer.from(header, 'base64') }
}

function methodOf(method: unknown): 'POST' | 'GET' {
  if (method === 'POST' || method === 'GET') return method
  const upper = typeof method === 'string' ? method.toUpperCase() : ''
  if (upper === 'POST' || upper === 'GET') return upper
  throw new SigningFault('method')
}

function bodyBytes(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  if (typeof body !== 'string') throw new SigningFault('not-json')
  if (!isWellFormedText(body)) throw new SigningFault('not-utf8')
  return Buffer.from(body)
}

/** Half a surrogate pair has no UTF-8 form: encoding it would make two different texts one. */
function isWellFormedText(value: unknown): value is string {
  return typeof value === 'string' && !/\p{Surrogate}/u.test(value)
}

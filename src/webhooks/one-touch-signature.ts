import { InvalidInputError } from '../errors.js'
import { SigningFault, type SigningFaultReason } from '../providers/authy/signing-fault.js'
import { matchingKey } from '../providers/authy/signing-mac.js'
import type { Tape } from '../providers/authy/signing-tape.js'
import { bytesToSign, type OneTouchMessage, readSignature, signMessage } from '../providers/authy/signing.js'

/** A OneTouch callback as it was received. */
export interface SignedOneTouchCallback {
  /** The API key of the application, or several while keys are being changed. As text, not decoded. */
  readonly apiKey: string | readonly string[]
  /** The value of the `X-Authy-Signature` header. Anything but one canonical signature is a refusal. */
  readonly signature: string | readonly string[] | undefined
  /** The value of the `X-Authy-Signature-Nonce` header. */
  readonly nonce: string | readonly string[] | undefined
  /** `POST` or `GET`. */
  readonly method: string | undefined
  /**
   * The whole public URL of the callback, as configured at the service. From configuration, never put together from
   * `Host` or `X-Forwarded-*` headers. A query is cut off.
   */
  readonly url: string
  /** The body of a POST: the bytes as received, before any parser. At most 256 KiB. */
  readonly rawBody?: Uint8Array | string | undefined
  /** The query of a GET as received, between `?` and `#`, not decoded. */
  readonly rawQuery?: string | undefined
}

/** What {@link signOneTouch} signs. */
export interface OneTouchToSign extends OneTouchMessage {
  /** The API key of the application, as text. */
  readonly apiKey: string
}

/** @internal What the signature of a callback is worth. */
export type SignatureCheck =
  | {
      readonly ok: true
      readonly keyIndex: number
      readonly nonce: string
      readonly signature: string
      readonly tape: Tape | undefined
    }
  | { readonly ok: false; readonly reason: SigningFaultReason | 'key' | 'signature-header' | 'signature' }

/**
 * Whether a OneTouch callback carries the signature that the service makes with (one of) the API key(s).
 *
 * Works on the bytes as received: numbers keep their text, a body with a key twice is refused. Any input that is not
 * exactly a signed callback is `false`, never an exception. Every key is compared, in constant time.
 *
 * Tells only about the signature: use {@link readOneTouchCallback} for the content too, and never what another parser
 * made of the body. Algorithm: Authy API reference, verification of OneTouch callbacks.
 *
 * @example
 * verifyOneTouchSignature({ apiKey, signature: req.headers['x-authy-signature'],
 *   nonce: req.headers['x-authy-signature-nonce'], method: req.method, url: 'https://app.example.com/authy/callback', rawBody })
 */
export function verifyOneTouchSignature(callback: SignedOneTouchCallback): boolean {
  return checkSignature(callback).ok
}

/**
 * The `X-Authy-Signature` header of a OneTouch callback: for tests, and for stand-ins of the service.
 *
 * @throws {@link InvalidInputError} if the callback is none that can be signed: an empty key or nonce, another method than
 * POST or GET, a body that is no JSON object, has a key twice or is beyond the limits (256 KiB, depth 16, 2000 pairs).
 */
export function signOneTouch(callback: OneTouchToSign): string {
  const { apiKey } = callback
  if (keysOf(apiKey).length !== 1) throw new InvalidInputError('apiKey', 'apiKey: give the API key as text')
  try {
    return signMessage(apiKey, callback)
  } catch (error) {
    throw error instanceof SigningFault ? asInputError(error) : error
  }
}

/** @internal {@link verifyOneTouchSignature} with the reason, and with the body that was read on the way. */
export function checkSignature(callback: SignedOneTouchCallback): SignatureCheck {
  const apiKeys = keysOf(callback.apiKey)
  if (apiKeys.length === 0) return { ok: false, reason: 'key' }
  const signature = readSignature(callback.signature)
  if (signature === undefined) return { ok: false, reason: 'signature-header' }
  try {
    const { text, nonce, tape } = bytesToSign(callback)
    const keyIndex = matchingKey(apiKeys, signature.bytes, text)
    return keyIndex < 0
      ? { ok: false, reason: 'signature' }
      : { ok: true, keyIndex, nonce, signature: signature.text, tape }
  } catch (error) {
    if (error instanceof SigningFault) return { ok: false, reason: error.reason }
    throw error
  }
}

function keysOf(apiKey: unknown): readonly string[] {
  if (typeof apiKey === 'string') return apiKey === '' ? [] : [apiKey]
  if (!Array.isArray(apiKey)) return []
  // The usual case makes no new list.
  return apiKey.every(isKey) ? apiKey : apiKey.filter(isKey)
}

function isKey(key: unknown): key is string {
  return typeof key === 'string' && key !== ''
}

const faultFields: Readonly<Partial<Record<SigningFaultReason, readonly [field: string, advice: string]>>> = {
  method: ['method', 'give POST or GET'],
  url: ['url', 'give the whole http or https URL, without user name'],
  nonce: ['nonce', 'give the nonce as text'],
  query: ['rawQuery', 'give the raw query of a GET as text'],
}

function asInputError(fault: SigningFault): InvalidInputError {
  const [field, advice] = faultFields[fault.reason] ?? ['rawBody', `cannot be signed (${fault.reason})`]
  return new InvalidInputError(field, `${field}: ${advice}`, { cause: fault })
}

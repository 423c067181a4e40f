import { systemRuntime } from '../runtime.js'
import type { SigningFaultReason } from '../providers/authy/signing-fault.js'
import { type OneTouchEvent, readEvent } from './one-touch-event.js'
import { fieldsOfQuery, fieldsOfTape, MalformedCallback } from './one-touch-fields.js'
import { defaultToleranceSeconds, type Delivery, skewSeconds } from './one-touch-nonce.js'
import { checkSignature, type SignedOneTouchCallback } from './one-touch-signature.js'

/** Options of {@link readOneTouchCallback} beyond the callback itself. */
export interface ReadOneTouchCallback extends SignedOneTouchCallback {
  /** The time, in seconds since the epoch. Default: now. */
  readonly nowSeconds?: number | undefined
  /**
   * How far the nonce, where it is a time, may be from now, either way. Default 300. `false` switches the check of the
   * clock off; then remember signatures yourself for as long as requests live.
   */
  readonly toleranceSeconds?: number | false | undefined
  /** The application id at the service. If given, a callback of another application that has one is refused. */
  readonly appId?: string | undefined
}

/**
 * Why a callback is refused. For logs: tell the caller nothing.
 * - `key`: no API key was given; `method`, `url`: not POST or GET, not an http or https URL;
 * - `signature-header`, `nonce`: the header is missing, repeated, empty or malformed; `query`: a GET without raw query;
 * - `too-large`, `not-utf8`, `not-json`, `not-object`, `duplicate-key`, `too-deep`, `too-many-pairs`: what the body is;
 * - `signature`: it is not the service's signature of this callback with any of the keys;
 * - `stale`: the nonce is too long ago, or too far ahead;
 * - `malformed`: signed, but not of the shape of a callback; `action`, `status`: not an answer to an approval request;
 * - `status-differs`: the two statuses in it differ; `application`: of another application; `expired`: the request had ended.
 */
export type OneTouchRefusal =
  | SigningFaultReason
  | 'key'
  | 'signature-header'
  | 'signature'
  | 'stale'
  | 'malformed'
  | 'action'
  | 'status'
  | 'status-differs'
  | 'application'
  | 'expired'

/** What {@link readOneTouchCallback} makes of a callback. */
export type OneTouchReading =
  { readonly ok: true; readonly event: OneTouchEvent } | { readonly ok: false; readonly reason: OneTouchRefusal }

/**
 * Checks a OneTouch callback and reads it: the signature over the bytes as received, the time, and every field that
 * the event is made of. Never throws on what came over the wire.
 *
 * It does not remember callbacks and does not know your requests: see {@link oneTouchCallback} for a handler that
 * does. Otherwise refuse the same signature twice, check that `event.uuid` is a request that you made for
 * `event.authyId`, and be idempotent by `event.id`.
 *
 * @example
 * const reading = readOneTouchCallback({ apiKey, signature, nonce, method: 'POST', url: callbackUrl, rawBody })
 * if (!reading.ok) return res.sendStatus(403)
 */
export function readOneTouchCallback(callback: ReadOneTouchCallback): OneTouchReading {
  const reading = readCallback(callback)
  return reading.ok ? { ok: true, event: reading.event } : { ok: false, reason: reading.reason }
}

/** @internal The same with what the handler also needs. */
export type CallbackReading =
  | (Delivery & { readonly ok: true; readonly keyIndex: number })
  | { readonly ok: false; readonly reason: OneTouchRefusal; readonly skewSeconds?: number }

/** @internal */
export function readCallback(callback: ReadOneTouchCallback): CallbackReading {
  const check = checkSignature(callback)
  if (!check.ok) return check
  const { keyIndex, nonce, signature, tape } = check
  const nowSeconds = callback.nowSeconds ?? systemRuntime.now() / 1000
  const skew = skewSeconds(nonce, nowSeconds)
  const tolerance = callback.toleranceSeconds ?? defaultToleranceSeconds
  // Negated, so that a tolerance or a time that is not a number refuses.
  if (tolerance !== false && skew !== undefined && !(Math.abs(skew) <= tolerance)) {
    return { ok: false, reason: 'stale', skewSeconds: skew }
  }
  try {
    const fields = tape ? fieldsOfTape(tape) : fieldsOfQuery(callback.rawQuery ?? '')
    const read = readEvent(fields, { nowSeconds, appId: callback.appId })
    return read.ok ? { ok: true, event: read.event, keyIndex, isTimed: skew !== undefined, signature } : read
  } catch (error) {
    if (error instanceof MalformedCallback) return { ok: false, reason: 'malformed' }
    throw error
  }
}

export { oneTouchCallback, type CallbackHandler } from './one-touch-callback.js'
export type { OneTouchEvent } from './one-touch-event.js'
export type { ApprovalSettler, OneTouchCallbackOptions, OneTouchOutcome } from './one-touch-options.js'
export {
  readOneTouchCallback,
  type OneTouchReading,
  type OneTouchRefusal,
  type ReadOneTouchCallback,
} from './one-touch-reading.js'
export {
  signOneTouch,
  verifyOneTouchSignature,
  type OneTouchToSign,
  type SignedOneTouchCallback,
} from './one-touch-signature.js'
export { passByMeCallback, type PassByMeCallbackOptions } from './passbyme-callback.js'

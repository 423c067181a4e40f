export { signOneTouch, verifyOneTouchSignature } from './one-touch-signature.js'
export type { OneTouchToSign, SignedOneTouchCallback } from './one-touch-signature.js'

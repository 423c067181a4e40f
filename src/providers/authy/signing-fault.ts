/** Why something can't be, or can't have been, signed as a OneTouch callback. */
export type SigningFaultReason =
  | 'method'
  | 'url'
  | 'nonce'
  | 'query'
  | 'too-large'
  | 'not-utf8'
  | 'not-json'
  | 'not-object'
  | 'duplicate-key'
  | 'too-deep'
  | 'too-many-pairs'

/** What the signing files throw, and nothing else. Internal: whoever calls them turns it into an answer or an error. */
export class SigningFault extends Error {
  readonly reason: SigningFaultReason

  constructor(reason: SigningFaultReason) {
    super(reason)
    this.reason = reason
  }
}

/** Bounds of a callback (our choice; real ones have some 1.6 KiB, depth 4 and 60 pairs). */
export const limits = Object.freeze({
  /** Of a body, or a query. */
  bytes: 256 * 1024,
  /** Of objects and arrays in each other, the outermost being 1. */
  depth: 16,
  /** Of values that are neither object nor array; and again of empty objects and arrays, which give no pair. */
  pairs: 2000,
  /** Of the joined parameters: a long name around many small values multiplies, and an attacker would have us hash it. */
  joinedBytes: 2 * 1024 * 1024,
})

/**
 * What the signature needs to know about each byte: its part in a JSON string, and its form-encoded shape and order
 * (Authy API reference, OneTouch callbacks). `A-Z a-z 0-9 - . _ ~` stay, a space becomes `+`, all else `%XX`.
 */

export const PLAIN = 0
export const ENCODED = 1
export const QUOTE = 2
export const BACKSLASH = 3
export const CONTROL = 4

const HEX = '0123456789ABCDEF'

function isUnreserved(byte: number): boolean {
  return /[A-Za-z0-9\-._~]/.test(String.fromCharCode(byte))
}

function classOf(byte: number): number {
  if (byte === 0x22) return QUOTE
  if (byte === 0x5c) return BACKSLASH
  if (byte < 0x20) return CONTROL
  return isUnreserved(byte) ? PLAIN : ENCODED
}

/** A number that sorts as the encoded form of the byte does: `%00` ... `%FF`, then `+`, then the unreserved. */
function orderOf(byte: number): number {
  if (isUnreserved(byte)) return 512 + byte
  return byte === 0x20 ? 256 : byte
}

const allBytes = Array.from({ length: 256 }, (_, byte) => byte)

/** What each byte is inside a JSON string: {@link PLAIN} (and unreserved), {@link ENCODED}, or what ends the fast scan. */
export const stringClass = Uint8Array.from(allBytes, classOf)

/** {@link PLAIN} if all four bytes of a word are, else anything else. */
export function wordClass(classes: Uint8Array, word: number): number {
  return (
    (classes[word & 255] ?? 0) |
    (classes[(word >>> 8) & 255] ?? 0) |
    (classes[(word >>> 16) & 255] ?? 0) |
    (classes[word >>> 24] ?? 0)
  )
}

/** Rank of each byte in the order of the encoded forms: a permutation of 0 to 255. */
export const encodedRank = new Uint8Array(256)
;[...allBytes]
  .sort((a, b) => orderOf(a) - orderOf(b))
  .forEach((byte, rank) => {
    encodedRank[byte] = rank
  })

/** First byte of the encoded form: the byte itself, `+` or `%`. */
export const encodedFirst = Uint8Array.from(allBytes, (byte) =>
  isUnreserved(byte) ? byte : byte === 0x20 ? 0x2b : 0x25,
)

/** First hexadecimal digit of each byte, upper case. */
export const hexHigh = Uint8Array.from(allBytes, (byte) => HEX.charCodeAt(byte >> 4))
/** Second hexadecimal digit of each byte, upper case. */
export const hexLow = Uint8Array.from(allBytes, (byte) => HEX.charCodeAt(byte & 15))
/** Value of a hexadecimal digit of either case, or 255. */
export const hexValue = Uint8Array.from(allBytes, (byte) => {
  const value = HEX.indexOf(String.fromCharCode(byte).toUpperCase())
  return value < 0 ? 255 : value
})

import { SigningFault } from './signing-fault.js'

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39

/** Where the number that begins at `start` ends, by the grammar of RFC 8259. Its text is kept as it stands. */
export function readNumber(source: Uint8Array, start: number): number {
  let at = start
  if (source[at] === 0x2d) at += 1
  at = source[at] === 0x30 ? at + 1 : skipDigits(source, at)
  if (source[at] === 0x2e) at = skipDigits(source, at + 1)
  if (source[at] === 0x65 || source[at] === 0x45) {
    at += 1
    if (source[at] === 0x2b || source[at] === 0x2d) at += 1
    at = skipDigits(source, at)
  }
  return at
}

function skipDigits(source: Uint8Array, start: number): number {
  let at = start
  while (isDigit(source[at] ?? 0)) at += 1
  if (at === start) throw new SigningFault('not-json')
  return at
}

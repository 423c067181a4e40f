import { BACKSLASH, CONTROL, hexValue, QUOTE, stringClass } from './signing-bytes.js'
import { SigningFault } from './signing-fault.js'

const simple: ReadonlyMap<number, number> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }).map(
    ([letter, meaning]) => [letter.charCodeAt(0), meaning.charCodeAt(0)],
  ),
)
const LETTER_U = 0x75

/**
 * Undoes the escapes of a JSON string in place, from its first odd byte to its closing quote. What is undone is never
 * longer than what stood there.
 *
 * @returns where the text now ends, and the place after the closing quote.
 */
export function unescapeString(source: Uint8Array, from: number): { end: number; next: number } {
  let read = from
  let write = from
  for (;;) {
    const byte = source[read] ?? 0
    const kind = stringClass[byte] ?? CONTROL
    if (kind === QUOTE) return { end: write, next: read + 1 }
    if (kind === CONTROL) throw new SigningFault('not-json')
    if (kind !== BACKSLASH) {
      source[write] = byte
      write += 1
      read += 1
      continue
    }
    const letter = source[read + 1] ?? 0
    if (letter === LETTER_U) {
      const point = codePoint(source, read)
      read += point > 0xffff ? 12 : 6
      write = writeUtf8(source, write, point)
      continue
    }
    const meaning = simple.get(letter)
    if (meaning === undefined) throw new SigningFault('not-json')
    source[write] = meaning
    write += 1
    read += 2
  }
}

/** The code point of `\uXXXX` or of a pair of them. Half a pair has no UTF-8 form, so nobody can have signed it. */
function codePoint(source: Uint8Array, at: number): number {
  const unit = codeUnit(source, at)
  if (unit < 0xd800 || unit > 0xdfff) return unit
  if (unit > 0xdbff || source[at + 6] !== 0x5c || source[at + 7] !== LETTER_U) throw new SigningFault('not-utf8')
  const second = codeUnit(source, at + 6)
  if (second < 0xdc00 || second > 0xdfff) throw new SigningFault('not-utf8')
  return 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00)
}

function codeUnit(source: Uint8Array, at: number): number {
  let unit = 0
  for (let index = at + 2; index < at + 6; index += 1) {
    const value = hexValue[source[index] ?? 0] ?? 255
    if (value > 15) throw new SigningFault('not-json')
    unit = (unit << 4) | value
  }
  return unit
}

function writeUtf8(target: Uint8Array, at: number, point: number): number {
  if (point < 0x80) {
    target[at] = point
    return at + 1
  }
  if (point < 0x800) {
    target[at] = 0xc0 | (point >> 6)
    target[at + 1] = 0x80 | (point & 63)
    return at + 2
  }
  if (point < 0x10000) {
    target[at] = 0xe0 | (point >> 12)
    target[at + 1] = 0x80 | ((point >> 6) & 63)
    target[at + 2] = 0x80 | (point & 63)
    return at + 3
  }
  target[at] = 0xf0 | (point >> 18)
  target[at + 1] = 0x80 | ((point >> 12) & 63)
  target[at + 2] = 0x80 | ((point >> 6) & 63)
  target[at + 3] = 0x80 | (point & 63)
  return at + 4
}

import { isUtf8 } from 'node:buffer'
import { limits } from '../providers/authy/signing-fault.js'

/**
 * The names and values of a form-encoded query, or undefined if it isn't one: a broken escape, bytes that are no UTF-8, a
 * name twice (unless it ends in `[]`, which is dropped: nothing that we read is an array), or too many pairs.
 */
export function decodeQuery(rawQuery: string): ReadonlyMap<string, string> | undefined {
  const pairs = new Map<string, string>()
  const parts = rawQuery.split('&')
  if (parts.length > limits.pairs) return undefined
  for (const part of parts) {
    const equals = part.indexOf('=')
    const name = decode(equals < 0 ? part : part.slice(0, equals))
    const value = equals < 0 ? '' : decode(part.slice(equals + 1))
    if (name === undefined || value === undefined) return undefined
    if (name.includes('[]')) continue
    if (pairs.has(name)) return undefined
    pairs.set(name, value)
  }
  return pairs
}

function decode(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined
  const spaced = text.replaceAll('+', ' ')
  if (!spaced.includes('%')) return spaced
  const bytes = Buffer.from(
    Buffer.from(spaced)
      .toString('latin1')
      .replace(/%(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  )
  return isUtf8(bytes) ? bytes.toString() : undefined
}

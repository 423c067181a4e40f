import { InvalidInputError } from '../errors.js'
import type { HttpQuery } from './http-types.js'

// eslint's no-control-regex would have this written as a loop; property escapes say the same: control, format (direction
// marks, zero width), line and paragraph separators, lone surrogates.
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
// pchar of RFC 3986 and slashes; every percent sign is the start of an encoded byte.
const encodedPath = /^(?:\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*)+$/

/** What a path segment may hold beyond letters and digits. */
export interface SegmentRules {
  /** Allows `/` (sent as `%2F`). Default false: an id with a slash is an attempt to reach another route. */
  readonly slashes?: boolean
  /** Characters at most. Default 512. */
  readonly maxLength?: number
}

/**
 * Encodes a value as one segment of a path.
 *
 * @throws {@link InvalidInputError} naming `field` if the value is no text, is empty, `.` or `..`, too long, or holds
 * control characters, invisible formatting characters, backslashes or (unless allowed) slashes, also percent-encoded ones.
 */
export function encodeSegment(field: string, value: string, rules: SegmentRules = {}): string {
  const refuse = (why: string): InvalidInputError => new InvalidInputError(field, `${field} ${why}`)
  if (typeof value !== 'string') throw refuse('must be text')
  if (value === '') throw refuse('must not be empty')
  if (value.length > (rules.maxLength ?? 512)) throw refuse('is too long')
  if (unsafe.test(value)) throw refuse('must not hold control or formatting characters')
  if (value === '.' || value === '..') throw refuse('must not be a dot segment')
  if (!rules.slashes) {
    // Some gateways decode once before they route: to them %2f is a slash and %2e%2e a dot segment.
    if (/[\\/]|%2f|%5c/i.test(value)) throw refuse('must not hold slashes')
    if (/^(?:\.|%2e){1,2}$/i.test(value)) throw refuse('must not be a dot segment')
  }
  return encodeURIComponent(value)
}

/** A template tag: ``encodePath`/users/${{ authyId }}/status` `` encodes each value with {@link encodeSegment}, under its field name. */
export function encodePath(
  parts: TemplateStringsArray,
  ...fields: readonly Readonly<Record<string, string>>[]
): string {
  return parts.reduce((path, part, index) => {
    const [entry] = Object.entries(fields[index - 1] ?? {})
    return path + (entry ? encodeSegment(entry[0], entry[1]) : '') + part
  })
}

/** The last line of defence: a path that is not encoded, or that a URL parser would shorten, goes nowhere. */
export function assertEncodedPath(path: string): void {
  const segments = path.split('/').slice(1)
  if (!encodedPath.test(path) || segments.some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment)))
    throw new InvalidInputError('path', 'the path is not a sequence of encoded segments')
}

/** `?a=1&b=2`, percent-encoded as RFC 3986 has it (a space is `%20`, and of the marks only `-._~` stay), or nothing. */
export function encodeQuery(query: HttpQuery | undefined): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeText(name)}=${encodeText(String(value))}`],
  )
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

function encodeText(text: string): string {
  if (/\p{Cs}/u.test(text)) throw new InvalidInputError('query', 'a query parameter is not well-formed Unicode')
  // URL parsers differ in what they make of the five marks that encodeURIComponent leaves; signed URLs must not.
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
}

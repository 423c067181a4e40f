import { createHash } from 'node:crypto'
import type { JsonValue } from 'passport-outofband'

function nested(depth: number): JsonValue {
  return depth === 0 ? 'deep' : [nested(depth - 1)]
}

/** Values that a store must give back as they were. */
export const jsonValues: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  0.1,
  -1.5e300,
  Number.MAX_SAFE_INTEGER,
  '',
  `quotes ' " \` and \\ and %s :name ? $1`,
  'null \u0000, lone \ud800 surrogate, \u2028, \uffff, 𝟙, e\u0301',
  [],
  {},
  JSON.parse('{"__proto__":{"admin":true},"constructor":1,"":2}') as JsonValue,
  { a: [{ b: [null, { c: 'd' }] }] },
  nested(60),
]

/** Values that JSON has no way to say, or that would change on the way. */
export const notJson: readonly unknown[] = [
  undefined,
  NaN,
  Infinity,
  10n,
  Symbol('s'),
  () => 1,
  new Date(),
  new Map(),
  { a: undefined },
  [undefined],
  { toJSON: () => 'other' },
  nested(100),
]

/** Names that careless adapters confuse, truncate or choke on. */
export function hostileNames(own: string): Set<string> {
  const digestOf = (name: string): string => `#${createHash('sha256').update(name, 'utf16le').digest('base64url')}`
  return new Set([
    own,
    `${own} `,
    ` ${own}`,
    `${own}A`,
    `${own}a`,
    `${own}\u0000`,
    `${own}\u0000x`,
    digestOf(`${own}\u0000`),
    `${own}'; drop table oob_state; --`,
    `${own}"`,
    `${own}\\`,
    `${own}%`,
    `${own}_`,
    `${own}*`,
    `${own}{tag}`,
    `${own}}{`,
    `${own}\r\nDEL x\r\n`,
    `${own}\n`,
    `${own}\ud800`,
    `${own}\udc00`,
    `${own}\ufffd`,
    `${own}é`,
    `${own}e\u0301`,
    `${own}𝟙`,
    `${own}__proto__`,
    `${own}constructor`,
    `${own}:r`,
    `${own}:c`,
    own.padEnd(512, 'x'),
    own.padEnd(511, 'x'),
    own.padEnd(512, '\ud800'),
    own.padEnd(512, '語'),
  ])
}

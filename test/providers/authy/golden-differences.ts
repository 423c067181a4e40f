/**
 * Where our client does something else than a recorded one, on purpose. The names stand in docs/authy.md with the reason; a test
 * compares both lists. `rows` are the numbers of the recorded calls.
 */
export const differences = {
  'numeric-country-code': { rows: [4] },
  'longer-messages': { rows: [70] },
  'longer-tokens': { rows: [30] },
  'longer-codes': { rows: [61] },
  'force-on-verify': { rows: [26, 33, 87] },
  'action-on-verify': { rows: [33] },
  'query-on-get': { rows: [37, 38] },
  'code-length': { rows: [51, 52, 53, 56, 100, 101] },
  'no-negative-expiry': { rows: [68] },
  'default-logo': { rows: [73] },
  'details-are-text': { rows: [75] },
  'uuids-only': { rows: [77, 79, 110] },
  'ids-only': { rows: [86] },
  'tokens-only': { rows: [89, 90, 93] },
  'digits-of-phones': { rows: [80, 81, 82, 83, 100, 101, 102, 103, 104] },
  'remove-route': { rows: [84] },
  'false-left-out': { rows: [96, 99] },
  'zero-expiry': { rows: [108] },
  'key-in-header': { rows: range(80, 110) },
  'json-and-query': { rows: range(80, 110) },
} as const satisfies Readonly<Record<string, { readonly rows: readonly number[] }>>

export type Difference = keyof typeof differences

/** The differences of one recorded call. */
export function differencesOf(row: number): ReadonlySet<Difference> {
  const names = Object.keys(differences) as Difference[]
  return new Set(names.filter((name) => (differences[name].rows as readonly number[]).includes(row)))
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

const format = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' })

/** An amount as people write it: €1,234.50. */
export function money(cents: number): string {
  return format.format(cents / 100)
}

/** The cents of an amount that somebody typed, such as `250` or `12.50`; nothing if it isn't one, or is none at all. */
export function centsOf(typed: string): number | undefined {
  const [, euros, cents = ''] = /^(\d{1,7})(?:[.,](\d{1,2}))?$/.exec(typed) ?? []
  if (euros === undefined) return undefined
  const amount = Number(euros) * 100 + Number(cents.padEnd(2, '0'))
  return amount > 0 ? amount : undefined
}

/** Whether an IBAN, written without spaces, is one (ISO 13616: the remainder by 97 is 1). */
export function isIban(iban: string): boolean {
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban)) return false
  const digits = `${iban.slice(4)}${iban.slice(0, 4)}`.replace(/[A-Z]/g, (letter) => String(parseInt(letter, 36)))
  return BigInt(digits) % 97n === 1n
}

import { parsePhoneNumberFromString } from 'libphonenumber-js/max'

/**
 * A number as it is stored, compared and sent: blanks, hyphens and brackets dropped, an optional `+` and 7 to 15
 * digits. Undefined for what is no number.
 */
export function normalPhone(text: string): string | undefined {
  if (text.length > 64) return undefined
  const bare = text.replaceAll(/[ \u00a0()[\]-]/g, '')
  return /^\+?\d{7,15}$/.test(bare) ? bare : undefined
}

/** What the phone of a user is compared by: the normal form where the text has one, else the text itself. */
export function phoneKey(text: string): string {
  return normalPhone(text) ?? text
}

/** What limits count a number by: gateways reach the same phone with and without the plus sign. */
export function digitsOf(number: string): string {
  return number.replace(/^\+/, '')
}

/** The country calling code, for limits by country: `44`. Numbers that belong to no known country count by their first digits. */
export function callingCode(number: string): string {
  const international = number.startsWith('+') ? number : `+${number}`
  return parsePhoneNumberFromString(international)?.countryCallingCode ?? international.slice(1, 4)
}

/** True for numbers that cost the owner of the service extra. */
export function isPremium(number: string): boolean {
  const type = parsePhoneNumberFromString(number.startsWith('+') ? number : `+${number}`)?.getType()
  return type === 'PREMIUM_RATE' || type === 'SHARED_COST'
}

/** A number as it may stand in a log: the last two digits. */
export function maskPhone(number: string): string {
  return `***${number.slice(-2)}`
}

/** An address as it may stand in a log: its first character and its domain, without anything that adds a line. */
export function maskEmail(address: string): string {
  const clean = address.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 254)
  const at = clean.lastIndexOf('@')
  return at < 1 ? '***' : `${clean.slice(0, 1)}***${clean.slice(at)}`
}

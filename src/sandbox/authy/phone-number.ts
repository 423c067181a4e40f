/** The digits of a number as people write it, or undefined when it isn't one. */
export function nationalDigits(value: string | undefined): string | undefined {
  const digits = value?.replace(/[-. ()+]/g, '') ?? ''
  return /^[0-9]{5,15}$/.test(digits) ? digits : undefined
}

/** A calling code: `1`, `351`, `+351`. */
export function callingCode(value: string | undefined): string | undefined {
  const digits = value?.replace(/^\s*\+?/, '').trim() ?? ''
  return /^[1-9][0-9]{0,2}$/.test(digits) ? digits : undefined
}

/** `+351-XXX-XXX-XX67`: always this shape, whatever the length. */
export function maskedCellphone(countryCode: string, cellphone: string): string {
  return `+${countryCode}-XXX-XXX-XX${cellphone.slice(-2)}`
}

/** `XXX-XXX-9302`, `XX-XXX-4567`: the last four, and the rest in groups of three from the right. */
export function maskedNumber(cellphone: string): string {
  const hidden = 'X'.repeat(Math.max(0, cellphone.length - 4))
  const groups = hidden.replace(/\B(?=(X{3})+$)/g, '-')
  return [groups, cellphone.slice(-4)].filter(Boolean).join('-')
}

/** `987-654-3210` for ten digits; other lengths in groups of three with what is left at the end. */
export function spelledNumber(digits: string): string {
  if (digits.length === 10) return `${digits.slice(0, 3)}-${digits.slice(3, 6)}-${digits.slice(6)}`
  return (digits.match(/.{1,3}(?=.{3})|.{1,3}$/g) ?? [digits]).join('-')
}

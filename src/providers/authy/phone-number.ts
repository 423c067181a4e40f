import { getCountryCallingCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { z } from 'zod'
import type { Send } from '../../approval/send-limits.js'
import { InvalidInputError } from '../../errors.js'

/** A phone number and the country that it is read in. */
export interface PhoneInput {
  /** In national form (`(775) 461-5609`) or in international form (`+1 775 461 5609`). */
  readonly phone: string
  /** ISO 3166 region (`US`) or calling code (`1`, `'1'`, `'+1'`). May be left out for a number in international form. */
  readonly countryCode?: string | number | undefined
}

/** As the service wants it. */
export interface SplitPhone {
  /** Calling code. */
  readonly countryCode: number
  /** National digits, without trunk prefix. */
  readonly national: string
}

const phoneText = z
  .string({ error: 'give the phone number as text' })
  .max(40, { error: 'that is too long for a phone number' })
  .regex(/^\+?[0-9 \u00a0\-./()]+$/, {
    error: 'a phone number has digits, blanks and - . / ( ), and a + in front only',
  })
  .refine((text) => digitsOf(text).length >= 4 && digitsOf(text).length <= 17, {
    error: 'a phone number has 4 to 17 digits',
  })

const country = z.union([z.string(), z.number()], {
  error: 'give an ISO region such as PT, or a calling code such as 351',
})

/** The fields of {@link PhoneInput}, to be spread into a schema. */
export const phoneShape = { phone: phoneText, countryCode: country.optional() }

/**
 * Splits a number into calling code and national digits. What libphonenumber knows to be valid is sent as libphonenumber writes it; what it doesn't
 * know is sent as it is, digits only: the verdict is the service's, whose numbering plans may be newer.
 *
 * @throws {@link InvalidInputError} if the country is unknown, or is not the one of a number in international form.
 */
export function splitPhone({ phone, countryCode }: PhoneInput): SplitPhone {
  const given = countryCode === undefined ? undefined : callingCode(countryCode)
  if (phone.startsWith('+')) return splitInternational(phone, given)
  if (given === undefined)
    throw new InvalidInputError('countryCode', 'give countryCode, or the phone number in international form')
  const parsed = parsePhoneNumberFromString(phone, { defaultCallingCode: String(given) })
  const known = parsed?.isValid() && parsed.countryCallingCode === String(given) ? parsed.nationalNumber : undefined
  return { countryCode: given, national: known ?? digitsOf(phone) }
}

function splitInternational(phone: string, given: number | undefined): SplitPhone {
  const digits = digitsOf(phone)
  const parsed = parsePhoneNumberFromString(phone)
  const found = parsed ? Number(parsed.countryCallingCode) : given
  // Silently taking one of two countries would send somebody else a code.
  if (found === undefined || (given !== undefined && found !== given) || !digits.startsWith(String(found)))
    throw new InvalidInputError('phone', 'the phone number does not belong to the country of countryCode')
  const national = parsed?.isValid() ? parsed.nationalNumber : digits.slice(String(found).length)
  return { countryCode: found, national }
}

/** The message to a number, for the limits on sending. */
export function sendToPhone({ countryCode, national }: SplitPhone, address?: string): Send {
  const e164 = `+${countryCode}${national}`
  return { recipient: e164, phone: { e164, countryCode }, address }
}

function callingCode(country: string | number): number {
  const text = String(country).trim()
  if (/^\+?[1-9][0-9]{0,2}$/.test(text)) return Number(text)
  const region = text.toUpperCase()
  if (/^[A-Z]{2}$/.test(region) && isSupportedCountry(region)) return Number(getCountryCallingCode(region))
  throw new InvalidInputError(
    'countryCode',
    'countryCode is neither an ISO region such as PT nor a calling code such as 351',
  )
}

function digitsOf(text: string): string {
  return text.replace(/[^0-9]/g, '')
}

import type { IncomingMessage } from 'node:http'
import type { JsonObject } from '../approval/json.js'
import type { ServiceContext } from './context.js'
import { callingCode, digitsOf, isPremium, maskPhone, normalPhone } from './phone-number.js'
import { refusals, unavailable } from './refusal.js'
import { member, stringMember } from './schema.js'
import type { PhoneVerification } from './verification.js'

/** Sends a code to a number, within the limits. */
export async function sendPhoneCode(
  context: ServiceContext,
  verification: PhoneVerification,
  req: IncomingMessage,
  body: JsonObject,
): Promise<void> {
  const client = context.settings.clientOf(req)
  const phone = normalPhone(stringMember(body, 'phone'))
  if (phone === undefined) throw refusals.invalidPhone('This is not a phone number')
  await limitSends(context, phone, client)
  // Refused without a word, like a number that can't be reached: the answer tells strangers nothing about the rules.
  const reasonAgainst = isForbidden(context, phone)
    ? 'country or kind of number'
    : (await mayUse(context, phone))
      ? undefined
      : 'not allowed now'
  if (reasonAgainst !== undefined) {
    context.emit({ type: 'phone.code.failed', client, destination: maskPhone(phone), reason: reasonAgainst })
    return
  }
  const outcome = await verification.start({ phone, resend: member(body, 'resend') === true })
  const about = { client, destination: maskPhone(phone) }
  if (outcome.status === 'sent') {
    context.emit({ type: context.settings.testNumbers.has(phone) ? 'phone.test-number' : 'phone.code.sent', ...about })
    return
  }
  const reason = outcome.status === 'failed' ? outcome.reason : outcome.status
  context.emit({ type: 'phone.code.failed', ...about, reason })
  if (outcome.status === 'invalid-number') throw refusals.invalidPhone(outcome.description.slice(0, 200))
  throw unavailable('The message could not be sent', 30)
}

// Whoever can't say whether the SIM is still its owner's lets nobody through.
async function mayUse(context: ServiceContext, phone: string): Promise<boolean> {
  const { allowNumber, testNumbers } = context.settings
  if (allowNumber === undefined || testNumbers.has(phone)) return true
  try {
    return await allowNumber(phone)
  } catch {
    context.emit({ type: 'phone.code.failed', destination: maskPhone(phone), reason: 'allowNumber failed' })
    throw unavailable('The number could not be checked', 30)
  }
}

function isForbidden(context: ServiceContext, phone: string): boolean {
  const { allowedCallingCodes, testNumbers } = context.settings
  if (testNumbers.has(phone)) return false
  return isPremium(phone) || (allowedCallingCodes !== undefined && !allowedCallingCodes.has(callingCode(phone)))
}

// All before a gateway is called. Who is over the own limit uses up nobody's number; then the narrow ones come first, so
// that a burst on one number uses up nothing that others need.
async function limitSends(context: ServiceContext, phone: string, client: string): Promise<void> {
  const { limits, settings } = context
  const limited = async (
    name: string,
    subject: string,
    limit: { max: number; windowSeconds: number },
  ): Promise<void> => {
    try {
      await limits.require(name, subject, limit)
    } catch (error) {
      context.emit({ type: 'limited', client, destination: maskPhone(phone), reason: name })
      throw error
    }
  }
  const wait = await limits.wait('phone-client', client, settings.limits.phonePerClient)
  if (wait !== undefined) await limited('phone-client', client, settings.limits.phonePerClient)
  const digits = digitsOf(phone)
  if (settings.resendSeconds > 0)
    await limited('phone-resend', digits, { max: 1, windowSeconds: settings.resendSeconds })
  await limited('phone', digits, settings.limits.phone)
  await limited('phone-client', client, settings.limits.phonePerClient)
  await limited('phone-country', callingCode(phone), settings.limits.phonePerCountry)
  await limited('phone-all', '', settings.limits.phoneGlobal)
}

/** Checks a code; the right one marks the number as verified, for the user alone if one is named. */
export async function confirmPhoneCode(
  context: ServiceContext,
  verification: PhoneVerification,
  req: IncomingMessage,
  { body, userId }: { readonly body: JsonObject; readonly userId: () => Promise<number | undefined> },
): Promise<void> {
  const { limits, settings } = context
  const client = settings.clientOf(req)
  const phone = normalPhone(stringMember(body, 'phone'))
  const code = stringMember(body, 'code')
  if (phone === undefined || !/^\d{4,10}$/.test(code)) throw refusals.invalidPhoneCode()
  await limits.require('phone-confirm-client', client, settings.limits.phoneConfirmPerClient)
  // Over all codes of a number, so that asking for new ones doesn't buy new tries. The answer is the one for every failure.
  const over = await limits.count('phone-confirm', digitsOf(phone), settings.limits.phoneConfirm)
  const caller = await userId()
  const isRight = over === undefined && (await verification.check({ phone, code })) && (await mayUse(context, phone))
  if (!isRight) {
    context.emit({ type: 'phone.verification.failed', client, destination: maskPhone(phone) })
    throw refusals.invalidPhoneCode()
  }
  await limits.clear('phone-confirm', digitsOf(phone))
  await context.phoneMarks.set(phone, caller)
  context.emit({
    type: 'phone.verified',
    client,
    destination: maskPhone(phone),
    ...(caller === undefined ? {} : { userId: caller }),
  })
}

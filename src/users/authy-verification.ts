import { z } from 'zod'
import { InvalidInputError, ProviderRateLimitedError, ProviderRejectedError } from '../errors.js'
import { objectWith, parseOptions } from '../options.js'
import type { SmsOutcome } from './senders.js'
import type { PhoneVerification } from './verification.js'

/** The part of an `AuthyClient` that is used. */
export interface AuthyPhonesClient {
  readonly phones: {
    startVerification(request: { phone: string; via?: 'sms' | 'call'; codeLength?: number }): Promise<unknown>
    checkVerification(request: { phone: string; code: string }): Promise<{ readonly valid: boolean }>
  }
}

export interface AuthyVerificationOptions {
  /** What a resend uses, so that a second try takes another way. Default `call`. */
  readonly resendVia?: 'sms' | 'call'
  /** Digits of a code: 6 to 8. Default 6. */
  readonly codeLength?: number
}

type Phones = AuthyPhonesClient['phones']
const clientSchema = z.object({
  phones: objectWith<Phones>(['startVerification', 'checkVerification'], 'give an AuthyClient'),
})
const optionsSchema = z.strictObject({
  resendVia: z.enum(['sms', 'call']).default('call'),
  codeLength: z.int().min(6).max(8).default(6),
})

// What Authy says of a number that no code can be sent to, whoever asks (Authy API reference, error codes).
const INVALID_NUMBER: ReadonlyMap<string, string> = new Map([
  ['60013', 'Numbers of this country cannot be verified'],
  ['60033', 'The number is not valid'],
  ['60078', 'The number is not valid'],
  ['60082', 'The number cannot receive text messages'],
  ['60083', 'The number is not in service'],
])

/**
 * Phone verification by Authy: it makes the code, sends and checks it. The limits of the user service stay in force
 * around it. Numbers must be in international form (`+1...`).
 *
 * Authy keeps a code for ten minutes and sends the same one again when asked again; it ends a code after the first right
 * try and after five wrong ones. There is no call to take a code back, so one that is out stays good until then.
 *
 * @throws {@link InvalidOptionError}
 *
 * @example
 * userService({ ..., verification: { method: authyVerification(new AuthyClient({ apiKey })) } })
 */
export function authyVerification(
  client: AuthyPhonesClient,
  options: AuthyVerificationOptions = {},
): PhoneVerification {
  parseOptions(clientSchema, client, 'authyVerification')
  const { resendVia, codeLength } = parseOptions(optionsSchema, options, 'authyVerification')
  return {
    async start({ phone, resend }) {
      if (!phone.startsWith('+')) {
        return { status: 'invalid-number', description: 'Give the number in international form, beginning with +' }
      }
      try {
        await client.phones.startVerification({ phone, via: resend ? resendVia : 'sms', codeLength })
        return { status: 'sent', gateway: 'authy' }
      } catch (error) {
        return { ...refusalOf(error), gateway: 'authy' }
      }
    },
    async check({ phone, code }) {
      if (!phone.startsWith('+')) return false
      try {
        return (await client.phones.checkVerification({ phone, code })).valid
      } catch (error) {
        // No code was sent to what is no number; and after too many wrong tries no code is right any more. Both are the
        // one answer for a code that isn't right. An outage is not: it goes on as the error that it is.
        if (error instanceof InvalidInputError) return false
        if (error instanceof ProviderRateLimitedError && error.status === 429) return false
        if (error instanceof ProviderRejectedError && INVALID_NUMBER.has(error.providerCode ?? '')) return false
        throw error
      }
    },
    drop: () => Promise.resolve(),
  }
}

function refusalOf(error: unknown): SmsOutcome {
  if (error instanceof InvalidInputError) return { status: 'invalid-number', description: 'The number is not valid' }
  if (!(error instanceof ProviderRejectedError)) {
    return { status: 'failed', reason: error instanceof Error ? error.name : 'unknown' }
  }
  const description = INVALID_NUMBER.get(error.providerCode ?? '')
  if (description !== undefined) return { status: 'invalid-number', description }
  return { status: 'failed', reason: `HTTP ${error.status}, code ${error.providerCode ?? 'unknown'}` }
}

import { ApprovalError } from '../errors.js'
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

/**
 * Phone verification by Authy: it makes the code, sends and checks it. The limits of the user service stay in force
 * around it. Numbers must be in international form (`+1...`).
 *
 * @example
 * userService({ ..., verification: { method: authyVerification(new AuthyClient({ apiKey })) } })
 */
export function authyVerification(
  client: AuthyPhonesClient,
  options: AuthyVerificationOptions = {},
): PhoneVerification {
  const { resendVia = 'call', codeLength = 6 } = options
  return {
    async start({ phone, resend }) {
      if (!phone.startsWith('+')) {
        return { status: 'invalid-number', description: 'Give the number in international form, beginning with +' }
      }
      try {
        await client.phones.startVerification({ phone, via: resend ? resendVia : 'sms', codeLength })
        return { status: 'sent', gateway: 'authy' }
      } catch (error) {
        if (isRefusal(error))
          return { status: 'invalid-number', description: 'The number cannot be verified', gateway: 'authy' }
        return { status: 'failed', reason: error instanceof Error ? error.name : 'unknown', gateway: 'authy' }
      }
    },
    async check({ phone, code }) {
      if (!phone.startsWith('+')) return false
      const { valid } = await client.phones.checkVerification({ phone, code })
      return valid
    },
    drop: () => Promise.resolve(),
  }
}

// A request that Authy understood and refused (HTTP 4xx), or a number that can't be one.
function isRefusal(error: unknown): boolean {
  if (!(error instanceof ApprovalError)) return false
  if (error.code === 'ERR_INPUT') return true
  const status: unknown = Reflect.get(error, 'status')
  return error.code === 'ERR_PROVIDER_REJECTED' && typeof status === 'number' && status === 400
}

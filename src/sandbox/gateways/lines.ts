import { normalPhone } from '../../users/phone-number.js'
import type { SmsSender } from '../../users/senders.js'
import { deliverText } from '../sms/inbox.js'
import type { StandInContext } from '../stand-in.js'

/**
 * A way for texts from the SMS gateway service to the phone, without a client and a wire between: what is shown is how
 * the service takes turns. It fails while a fault strikes the provider that it is named after.
 */
export function smsLine(context: StandInContext, { provider, faults }: StandInContext): SmsSender {
  return {
    name: provider,
    send: async (message) => {
      const to = normalPhone(message.to)
      const fault = faults.takeForRequest(provider, 'POST', '/').find(({ kind }) => !harmless.has(kind))
      if (fault !== undefined) return { status: 'failed', reason: fault.kind }
      if (to === undefined) return { status: 'invalid-number', description: 'The number is not a valid phone number.' }
      deliverText(context, { ...message, to }, provider)
      return { status: 'sent' }
    },
  }
}

// These make an answer late, not wrong.
const harmless: ReadonlySet<string> = new Set(['delay', 'drip'])

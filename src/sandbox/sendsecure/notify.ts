import type { Box, Guest } from './model.js'
import type { SendSecureState } from './state.js'

/** Where a guest opens a SafeBox. With double encryption the participants' key is in the link, and nowhere else. */
export function guestLink(state: SendSecureState, box: Box, guest: Guest): string {
  const key = box.options['double_encryption'] === true ? `?k=${box.key}` : ''
  return `${state.origins.application}/s/${box.guid}/${guest.id}${key}`
}

/** Mails guests that something is there for them. */
export function notifyGuests(state: SendSecureState, box: Box, guests: readonly Guest[]): void {
  for (const guest of guests)
    state.context.hub.deliver({
      provider: state.context.provider,
      kind: 'mail',
      to: guest.email,
      subject: box.subject ?? 'A SafeBox for you',
      text: `${box.user.email} sent you a SafeBox. Open it at ${guestLink(state, box, guest)}`,
    })
}

/** Sends a guest the code that opens the SafeBox: by text where there is a phone, else by mail. */
export function sendCode(state: SendSecureState, box: Box, guest: Guest): void {
  const length = Number(box.options['security_code_length'] ?? 6)
  const digits = [...state.context.runtime.randomBytes(length)].map((byte) => String(byte % 10)).join('')
  const minutes = Number(box.options['code_time_limit'] ?? 5)
  guest.code = { value: digits, expiresAt: state.now() + minutes * 60_000 }
  const phone = guest.contactMethods[0]?.destination
  const text = `Your security code is ${digits}`
  const { provider } = state.context
  if (phone !== undefined && box.options['allow_sms'] === true)
    state.context.hub.deliver({ provider, kind: 'sms', to: phone, text, code: digits })
  else
    state.context.hub.deliver({ provider, kind: 'mail', to: guest.email, subject: 'Security code', text, code: digits })
}

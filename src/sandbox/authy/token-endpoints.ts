import { json, type SandboxReply } from '../http-message.js'
import { type Call, shortText, withUser } from './endpoint.js'
import { hexId, seconds } from './ids.js'
import { flagOf } from './params.js'
import { maskedCellphone } from './phone-number.js'
import { refuse } from './replies.js'
import type { AuthyUser, Verdict } from './user.js'

const callIgnored =
  'Call ignored. User is using  App Tokens and this call is not necessary. ' +
  'Pass force=true if you still want to call users that are using the App.'
const smsIgnored = 'Ignored: SMS is not needed for smartphones. Pass force=true if you want to actually send it anyway.'

/** `GET /sms/{id}` */
export const sms = withUser((call, user) => {
  if (!call.state.switches.smsEnabled) return refuse('60007')
  const refusal = refuseSending(call, user)
  if (refusal) return refusal
  if (isIgnored(call, user)) return ignored(user, smsIgnored)
  if (user.smsBlocked || user.phone === '') return refuse('60015')
  if (!call.state.limits.token(`user ${user.id}`, call.now)) return refuse('60003')
  const code = send(call, user, 'sms')
  call.state.count('sms_count')
  call.state.context.hub.deliver({ provider: 'authy', kind: 'sms', to: user.phone, text: textWith(call, code), code })
  const cellphone = maskedCellphone(user.countryCode, user.cellphone)
  return json(200, { success: true, message: 'SMS token was sent', cellphone })
})

/** `GET /call/{id}` */
export const call = withUser((request, user) => {
  if (!request.state.switches.callsEnabled) return refuse('60006')
  const refusal = refuseSending(request, user)
  if (refusal) return refusal
  if (isIgnored(request, user)) return ignored(user, callIgnored)
  if (user.phone === '') return refuse('60014')
  if (!request.state.limits.token(`user ${user.id}`, request.now)) return refuse('60003')
  const code = send(request, user, 'voice')
  request.state.count('calls_count')
  const text = textWith(request, code).replace(code, code.split('').join(' '))
  request.state.context.hub.deliver({ provider: 'authy', kind: 'voice', to: user.phone, text, code })
  const cellphone = maskedCellphone(user.countryCode, user.cellphone)
  return json(200, { cellphone, message: 'Call started...', success: true })
})

/** `POST /email/{id}` */
export const email = withUser((call, user) => {
  const refusal = refuseSending(call, user)
  if (refusal) return refusal
  const [to] = user.emails
  if (to === undefined) return refuse('60038')
  if (!call.state.limits.token(`user ${user.id}`, call.now)) return refuse('60003')
  const code = send(call, user, 'mail')
  const { hub } = call.state.context
  const subject = `${call.state.settings.appName}: your code`
  hub.deliver({ provider: 'authy', kind: 'mail', to, subject, text: textWith(call, code), code })
  return json(200, {
    success: true,
    message: 'Email token was sent',
    email: to,
    email_id: `EM${(hexId() + hexId()).slice(0, 32)}`,
  })
})

function refuseSending({ state }: Call, user: AuthyUser): SandboxReply | undefined {
  if (user.suspended) return refuse('60017')
  return state.switches.bannedCountries.includes(user.countryCode) ? refuse('60013') : undefined
}

function isIgnored({ params }: Call, user: AuthyUser): boolean {
  return user.registered && flagOf(params, 'force') !== true
}

function ignored(user: AuthyUser, message: string): SandboxReply {
  const cellphone = maskedCellphone(user.countryCode, user.cellphone)
  return json(200, { message, cellphone, device: user.devices[0]?.os ?? null, ignored: true, success: true })
}

function send({ params, now }: Call, user: AuthyUser, via: 'sms' | 'voice' | 'mail'): string {
  return user.codeToSend(via, shortText(params, 'action'), now)
}

function textWith({ state, params }: Call, code: string): string {
  const about = shortText(params, 'action_message')
  return `${about === undefined ? '' : `${about}. `}Your ${state.settings.appName} verification code is: ${code}`
}

/** `GET /verify/{token}/{id}` */
export const verify = withUser((request, user) => {
  const { token = '' } = request.path
  const { state, params, now } = request
  if (!/^[0-9]{6,12}$/.test(token)) return refuse('60020')
  if (user.suspended) return refuse('60017')
  const verdict = user.take(token, shortText(params, 'action'), now)
  if (verdict.kind === 'good') {
    user.confirmed = true
    return good(request, user, verdict.via)
  }
  if (state.settings.magicValues && token === '0000000') {
    user.confirmed = true
    return good(request, user, 'sms')
  }
  // The trap of the real service: without force, nobody is locked out who never used Authy before.
  if (flagOf(params, 'force') !== true && !user.registered && !user.confirmed) return good(request, user, 'sms')
  return refuse(verdict.kind === 'used' ? '60019' : '60020')
}, '60016')

function good({ state }: Call, user: AuthyUser, via: Extract<Verdict, { kind: 'good' }>['via']): SandboxReply {
  state.count('auths_count')
  state.context.hub.changed()
  const body = { message: 'Token is valid.', token: 'is valid' }
  if (state.settings.oldAnswers) return json(200, { ...body, success: true })
  const device = via === 'app' ? user.devices[0] : undefined
  return json(200, {
    ...body,
    success: 'true',
    device: {
      id: device?.id ?? null,
      os_type: device?.os ?? 'sms',
      registration_date: seconds(device?.createdAt ?? user.createdAt),
      registration_method: null,
      registration_country: null,
      registration_region: null,
      registration_city: null,
      country: null,
      region: null,
      city: null,
      ip: null,
      last_account_recovery_at: null,
      last_sync_date: null,
    },
  })
}

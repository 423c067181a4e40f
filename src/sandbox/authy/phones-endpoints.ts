import { randomInt } from 'node:crypto'
import { json, type SandboxReply } from '../http-message.js'
import type { Call, Endpoint } from './endpoint.js'
import { seconds } from './ids.js'
import { type ParamHash, textOf } from './params.js'
import { callingCode, nationalDigits, spelledNumber } from './phone-number.js'
import { invalidParameter, refuse } from './replies.js'
import type { PhoneVerification } from './state.js'

const lifeMs = 600_000
const wrongTries = 5

interface Target {
  readonly countryCode: string
  readonly digits: string
  readonly phone: string
  /** As the service writes it in its sentences. */
  readonly spelled: string
}

function readTarget(params: ParamHash): Target | { readonly refusal: SandboxReply } {
  const given = { country_code: textOf(params, 'country_code'), phone_number: textOf(params, 'phone_number') }
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === '') return { refusal: invalidParameter(name, 'Parameter is required') }
  }
  const countryCode = callingCode(given.country_code)
  if (countryCode === undefined) return { refusal: refuse('60078') }
  const digits = nationalDigits(given.phone_number)
  if (digits === undefined) return { refusal: refuse('60033') }
  const spelled = `+${countryCode} ${spelledNumber(digits)}`
  return { countryCode, digits, phone: `+${countryCode}${digits}`, spelled }
}

/** `POST /phones/verification/start` */
export const start: Endpoint = (call) => {
  const { state, params } = call
  const target = readTarget(params)
  if ('refusal' in target) return target.refusal
  const via = textOf(params, 'via') || 'sms'
  if (via !== 'sms' && via !== 'call') return invalidParameter('via', 'Parameter must be sms or call')
  const length = textOf(params, 'code_length') || '4'
  if (!/^([4-9]|10)$/.test(length)) return invalidParameter('code_length', 'Parameter must be between 4 and 10')
  const refusal = refuseStart(call, target, via)
  if (refusal) return refusal
  const customCode = textOf(params, 'custom_code') || undefined
  if (customCode !== undefined && !/^[0-9]{4,10}$/.test(customCode)) {
    return invalidParameter('custom_code', 'Parameter must be 4 to 10 digits')
  }
  const running = runningVerification(call, target.phone)
  const code = customCode ?? String(randomInt(0, 10 ** Number(length))).padStart(Number(length), '0')
  const verification = running ?? state.startVerification(target.phone, code, lifeMs)
  deliver(call, target, via, verification)
  const number = state.number(target.phone)
  return json(200, {
    carrier: number.provider,
    is_cellphone: number.type === 'cellphone',
    is_ported: number.ported,
    message: sentence(via, target.spelled, textOf(params, 'locale')),
    seconds_to_expire: Math.max(0, seconds(verification.expiresAt - call.now)),
    uuid: verification.uuid,
    ...(customCode === undefined ? {} : { sms_id: verification.uuid }),
    success: true,
  })
}

function refuseStart({ state, params, now }: Call, target: Target, via: 'sms' | 'call'): SandboxReply | undefined {
  const number = state.number(target.phone)
  if (state.switches.bannedCountries.includes(target.countryCode)) return refuse('60013')
  if (via === 'sms' ? !state.switches.smsEnabled : !state.switches.callsEnabled) {
    return refuse(via === 'sms' ? '60007' : '60006')
  }
  if (!number.provisioned) return refuse('60083')
  if (via === 'sms' && number.type === 'landline') return refuse('60082')
  if (textOf(params, 'custom_message') && !state.switches.customMessages) return refuse('60091')
  if (textOf(params, 'custom_code') && !state.switches.customCodes) return refuse('60021')
  return state.limits.token(`phone ${target.phone}`, now) ? undefined : refuse('60003')
}

function deliver({ state, params }: Call, target: Target, via: 'sms' | 'call', { code }: PhoneVerification): void {
  const template = textOf(params, 'custom_message') || 'Your {{company}} verification code is: {{code}}'
  const spoken = via === 'call' ? code.split('').join(' ') : code
  const text = template.replaceAll('{{company}}', () => state.settings.appName).replaceAll('{{code}}', () => spoken)
  const kind = via === 'call' ? 'voice' : 'sms'
  state.count(via === 'call' ? 'calls_count' : 'sms_count')
  state.context.hub.deliver({ provider: 'authy', kind, to: target.phone, text, code })
}

function sentence(via: 'sms' | 'call', spelled: string, locale: string | undefined): string {
  if (locale?.toLowerCase().startsWith('es')) {
    return via === 'call' ? `Llamada a ${spelled} fue iniciada.` : `Mensaje de texto enviado a ${spelled}.`
  }
  return via === 'call' ? `Call to ${spelled} initiated.` : `Text message sent to ${spelled}.`
}

function runningVerification({ state, now }: Call, phone: string): PhoneVerification | undefined {
  const verification = state.verifications.get(phone)
  return verification && !verification.verified && verification.expiresAt > now ? verification : undefined
}

/** `GET /phones/verification/check` */
export const check: Endpoint = (call) => {
  const { state, params } = call
  const target = readTarget(params)
  if ('refusal' in target) return target.refusal
  const code = textOf(params, 'verification_code')
  if (code === undefined || code === '') return invalidParameter('verification_code', 'Parameter is required')
  const verification = runningVerification(call, target.phone)
  if (!verification) return refuse('60023', `No pending verifications for ${target.spelled} found.`)
  if (verification.wrongTries >= wrongTries) return refuse('60003')
  if (code !== verification.code && !(state.settings.magicValues && code === '0000')) {
    verification.wrongTries += 1
    return refuse('60022')
  }
  verification.verified = true
  return json(200, { message: 'Verification code is correct.', success: true })
}

/** `GET /phones/verification/status` */
export const verificationStatus: Endpoint = ({ state, params, now }) => {
  const wanted = textOf(params, 'uuid')
  let verification: PhoneVerification | undefined
  let text = wanted
  if (wanted !== undefined) verification = [...state.verifications.values()].find((entry) => entry.uuid === wanted)
  else {
    if (!textOf(params, 'country_code') || !textOf(params, 'phone_number')) return refuse('60042')
    const target = readTarget(params)
    if ('refusal' in target) return target.refusal
    verification = state.verifications.get(target.phone)
    text = target.spelled
  }
  if (!verification) return refuse('60023', `No pending verifications for ${text} found.`)
  return json(200, {
    message: 'Phone Verification status.',
    status: verification.verified ? 'verified' : verification.expiresAt > now ? 'pending' : 'expired',
    seconds_to_expire: Math.max(0, seconds(verification.expiresAt - now)),
    success: true,
  })
}

/** `GET /phones/info` */
export const info: Endpoint = ({ state, params, now }) => {
  const target = readTarget(params)
  if ('refusal' in target) return target.refusal
  const number = state.number(target.phone)
  if (!number.known) return refuse('60025')
  const at = new Date(now).toISOString().slice(0, 19).replace('T', ' ')
  return json(200, {
    message: `Phone number information as of ${at} UTC`,
    type: number.type,
    provider: number.provider,
    ported: number.ported,
    success: true,
  })
}

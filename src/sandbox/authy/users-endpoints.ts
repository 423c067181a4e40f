import { json, type SandboxReply } from '../http-message.js'
import { type Call, type Endpoint, withUser } from './endpoint.js'
import { flagOf, hashOf, textOf } from './params.js'
import { callingCode, maskedNumber, nationalDigits } from './phone-number.js'
import { refuse } from './replies.js'
import type { AuthyUser } from './user.js'
import { seconds } from './ids.js'

const emailPattern = /^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:".][^\s@<>()[\]\\,;:"]*$/
const activityTypes = ['password_reset', 'banned', 'unbanned', 'cookie_login']

/** `POST /users/new` */
export const register: Endpoint = ({ state, params }) => {
  const given = hashOf(params, 'user') ?? {}
  const email = textOf(given, 'email')?.trim() ?? ''
  const cellphone = nationalDigits(textOf(given, 'cellphone'))
  const countryCode = callingCode(textOf(given, 'country_code'))
  const fields = {
    ...(emailPattern.test(email) && email.length <= 254 ? {} : { email: 'is invalid' }),
    ...(cellphone === undefined ? { cellphone: 'is invalid' } : {}),
    ...(countryCode === undefined ? { country_code: 'is invalid' } : {}),
  }
  if (Object.keys(fields).length > 0 || cellphone === undefined || countryCode === undefined) {
    return refuse('60027', undefined, fields)
  }
  const known = state.userByPhone(countryCode, cellphone)
  const user = known ?? state.addUser({ countryCode, cellphone })
  user.removedAt = undefined
  if (!user.emails.includes(email)) user.emails.push(email)
  if (!known && state.settings.enrolAtOnce) user.addDevice('android', 'Phone', state.now())
  if (!user.registered && flagOf(params, 'send_install_link_via_sms') !== false) sendInstallLink(state, user)
  return json(200, { message: 'User created successfully.', user: { id: user.id }, success: true })
}

function sendInstallLink({ context, settings }: Call['state'], user: AuthyUser): void {
  const link = `authy://install?phone=${encodeURIComponent(user.phone)}`
  const text = `${settings.appName} protects your account with Authy. Get the app: ${link}`
  context.hub.deliver({ provider: 'authy', kind: 'sms', to: user.phone, text, link })
}

/** `GET /users/{id}/status` */
export const status = withUser((_call, user) =>
  json(200, {
    status: {
      authy_id: user.id,
      confirmed: user.confirmed,
      registered: user.registered,
      country_code: Number(user.countryCode || '1'),
      phone_number: maskedNumber(user.cellphone),
      email: user.emails[0] ?? null,
      devices: [...new Set(user.devices.map((device) => device.os))],
      has_hard_token: user.hasHardToken,
      account_disabled: user.removedAt !== undefined,
      detailed_devices: user.devices.map((device) => ({
        device_type: 'authy',
        os_type: device.os,
        registration_device_id: null,
        registration_method: null,
        device_id: device.id,
        last_sync_date: 0,
        creation_date: seconds(device.createdAt),
      })),
      deleted_devices: [],
    },
    message: 'User status.',
    success: true,
  }),
)

/** `POST /users/{id}/remove`, `/users/{id}/delete`, `/users/delete/{id}` */
export const remove = withUser(({ state, now }, user) => {
  user.removedAt ??= now
  state.context.hub.changed()
  const message = state.settings.oldAnswers ? 'User was added to remove.' : 'User removed from application'
  return json(200, { message, success: true })
})

/** `POST /users/{id}/update` */
export const update = withUser(({ params }, user) => {
  const email = textOf(params, 'email')?.trim() ?? ''
  if (!emailPattern.test(email)) return refuse('60038', undefined, { email: 'is invalid' })
  user.emails.splice(0, 1, email)
  return json(200, { message: 'User was updated successfully', success: true })
})

/** `POST /users/{id}/register_activity` */
export const registerActivity = withUser(({ state, params, now }, user) => {
  const type = textOf(params, 'type') ?? ''
  if (!activityTypes.includes(type)) return refuse('60029', undefined, { type: 'is invalid' })
  const userIp = textOf(params, 'user_ip')
  state.activities.push({ authyId: user.id, type, data: params['data'], userIp, at: now })
  return json(200, { message: 'Activity was created.', success: true })
})

/** `GET /registrations/status` */
export const registrationStatus: Endpoint = ({ state, params }) => {
  const customId = textOf(params, 'custom_user_id') ?? ''
  const user = customId === '' ? undefined : state.userByCustomId(customId)
  const registration = user ? { status: 'completed', authy_id: user.id } : { status: 'pending' }
  return json(200, { registration, success: true })
}

/** `GET /users/{id}/secret/export` */
export const exportSecret = withUser(({ state, now }, user): SandboxReply => {
  if (!state.switches.exportEnabled) return refuse('60154')
  return json(200, { secret: user.app.secret.base32, otp: user.app.code(now, 6).code, success: true })
})

/** `GET /users/{id}/phone_number` */
export const exportPhone = withUser(({ state }, user) => {
  if (!state.switches.exportEnabled) return refuse('60154')
  const spelled = user.cellphone.replace(/^(\d{3})(\d{3})(\d{4})$/, '$1-$2-$3')
  const updatedAt = new Date(user.createdAt).toISOString().replace(/\.\d{3}Z$/, 'Z')
  return json(200, { phone_number: spelled, country_code: user.countryCode, e164: user.phone, updated_at: updatedAt })
})

import { randomBytes } from 'node:crypto'
import type { CallbackChange } from '../faults.js'
import type { Answer, Approval } from './approval.js'
import { seconds } from './ids.js'
import type { AuthyState } from './state.js'

type Details = Approval['content']['details']

/** The JSON of a callback, keys in the order in which the service sends them. */
export function callbackBody(
  state: AuthyState,
  approval: Approval,
  answer: Answer,
  deviceUuid: 'integer' | 'text',
  changes: readonly CallbackChange[],
): string {
  const { content, user } = approval
  const capitalised = changes.includes('capitalised-keys')
  const logos = changes.includes('two-logos') ? twoLogos : content.logos
  return JSON.stringify({
    authy_id: user.id,
    device_uuid: deviceUuid === 'text' ? String(answer.device.id) : answer.device.id,
    callback_action: 'approval_request_status',
    uuid: approval.uuid,
    status: answer.status,
    approval_request: {
      transaction: {
        details: hash(content.details, capitalised),
        device_details: {},
        device_geolocation: '',
        device_signing_time: seconds(answer.at),
        encrypted: false,
        flagged: answer.flagged,
        hidden_details: hash(content.hiddenDetails, false),
        message: content.message,
        reason: '',
        requester_details: null,
        status: answer.status,
        uuid: approval.uuid,
        created_at_time: seconds(approval.createdAt),
        customer_uuid: state.customerId,
      },
      expiration_timestamp: approval.expiresAt === null ? 0 : seconds(approval.expiresAt),
      logos,
      app_id: state.appHexId,
    },
    // Made by the device; nobody but the service can check it.
    signature: randomBytes(256).toString('base64'),
    device: { ...device(approval, answer), ...(changes.includes('array-body') ? unlockMethods : {}) },
  })
}

const twoLogos = [
  { res: 'default', url: 'https://logos.example/default.png' },
  { res: 'low', url: 'https://logos.example/low.png' },
]
const unlockMethods = { enabled_unlock_methods: ['pin', 'fingerprint'], last_unlock_method_used: 'fingerprint' }

function device({ user }: Approval, answer: Answer): object {
  return {
    city: null,
    country: null,
    ip: '127.0.0.1',
    region: null,
    registration_city: null,
    registration_country: null,
    registration_ip: '127.0.0.1',
    registration_method: user.customId === undefined ? 'sms' : 'qr',
    registration_region: null,
    os_type: answer.device.os,
    last_account_recovery_at: null,
    id: answer.device.id,
    registration_date: seconds(answer.device.createdAt),
    last_sync_date: seconds(answer.device.createdAt),
  }
}

// A prototype-free hash keeps `__proto__` an ordinary name.
function hash(details: Details, capitalised: boolean): object | null {
  if (details === null) return capitalised ? { Account: 'capital', account: 'small', Banana: 'capital' } : null
  const entries = details.flatMap(([name, value]) =>
    capitalised ? [[name, value] as const, [name.toUpperCase(), value] as const] : [[name, value] as const],
  )
  return Object.assign(Object.create(null) as object, Object.fromEntries(entries))
}

import { json, type SandboxReply } from '../http-message.js'

export interface Failure {
  readonly status: number
  readonly code: string
  readonly message: string
  /** One entry for each bad field. */
  readonly fields?: Readonly<Record<string, string>>
}

/** An answer in the service's envelope for failures. Field entries are repeated at top level. */
export function failure({ status, code, message, fields = {} }: Failure): SandboxReply {
  return json(status, { ...fields, message, success: false, errors: { ...fields, message }, error_code: code })
}

/** The errors whose text is known, by code (Authy API reference). */
const texts: Readonly<Record<string, readonly [status: number, message: string]>> = {
  '60000': [400, 'An error occurred'],
  '60001': [401, 'Invalid API key'],
  '60002': [400, 'Invalid request'],
  '60003': [429, 'Too many requests'],
  '60004': [400, 'Invalid parameter'],
  '60005': [400, 'Invalid UTF-8'],
  '60006': [503, 'Calls are not enabled'],
  '60007': [503, 'SMS is not enabled'],
  '60008': [503, 'Account suspended'],
  '60013': [403, 'Country is banned'],
  '60014': [503, 'Call could not be started'],
  '60015': [503, 'SMS token was not sent'],
  '60016': [404, "User doesn't exist"],
  '60017': [503, 'User has been suspended.'],
  '60018': [403, 'User is disabled'],
  '60019': [401, 'Token is invalid. Token was used recently.'],
  '60020': [401, 'Token is invalid'],
  '60021': [403, 'Phone verification could not be created'],
  '60022': [401, 'Verification code is incorrect'],
  '60023': [404, 'No pending verifications found.'],
  '60024': [400, 'Phone information cannot be given'],
  '60025': [500, 'Server error while querying phone information. Please try again later'],
  '60026': [404, 'User not found.'],
  '60027': [400, 'User was not valid'],
  '60029': [400, 'Activity was not created'],
  '60033': [400, 'Phone number is invalid'],
  '60038': [400, 'Email is invalid'],
  '60042': [400, 'Pass uuid, or country_code and phone_number'],
  '60050': [404, 'User is not registered'],
  '60051': [404, 'User has no device'],
  '60057': [503, 'Account suspended for a while'],
  '60060': [503, 'Your account is suspended'],
  '60061': [503, 'Application suspended'],
  '60063': [403, 'IP address not allowed'],
  '60065': [403, 'OneTouch is not enabled'],
  '60078': [403, 'Invalid country code'],
  '60079': [400, 'Approval request is not pending'],
  '60082': [403, 'Cannot send SMS to landline phone numbers'],
  '60083': [403, 'Phone number not provisioned with any carrier'],
  '60091': [400, 'Custom message is not allowed'],
  '60120': [429, 'SMS limit reached'],
  '60122': [400, 'QR code failed'],
  '60123': [400, 'Generic authenticator tokens are disabled'],
  '60127': [403, 'User is waiting for deletion'],
  '60154': [403, 'Phone number export is not enabled'],
}

/** A failure by its code, with the service's own status and text, or with another text. */
export function refuse(code: string, message?: string, fields?: Readonly<Record<string, string>>): SandboxReply {
  const [status, text] = texts[code] ?? [400, 'An error occurred']
  const body = failure({ status, code, message: message ?? text, ...(fields ? { fields } : {}) })
  if (code !== '60020') return body
  // The one failure that repeats the field at top level only.
  return json(status, {
    message: message ?? text,
    token: 'is invalid',
    success: false,
    errors: { message: message ?? text },
    error_code: code,
  })
}

export function invalidParameter(name: string, why: string): SandboxReply {
  return refuse('60004', `Invalid parameter: ${name} - ${why}`)
}

const codeOfStatus: Readonly<Record<number, string>> = {
  400: '60000',
  401: '60001',
  403: '60063',
  404: '60026',
  429: '60003',
  503: '60057',
}

/** The service's body for a status: for faults. */
export function errorReply(status: number, code?: string): SandboxReply {
  const chosen = code ?? codeOfStatus[status] ?? '60000'
  return failure({ status, code: chosen, message: texts[chosen]?.[1] ?? 'An error occurred' })
}

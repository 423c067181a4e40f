import type { AuthyClient } from 'passport-outofband/authy'

/** A JSON object of the recordings. They hold what other clients were called with, wrong types included. */
export type Bag = Readonly<Record<string, unknown>>

type Translation = (client: AuthyClient, ...args: readonly Bag[]) => Promise<unknown>

// `as never`: what is handed over has whatever type the recording has; refusing it is what is tested.
const id = (bag: Bag | undefined): never => bag?.['authyId'] as never

/** The same call of ours, for each call of npm `authy-client`. */
export const authyClientCalls: Readonly<Record<string, Translation>> = {
  registerUser: (client, user) => client.users.create(user as never),
  requestSms: (client, user, options) => client.users.requestSms(id(user), codeOptions(options)),
  requestCall: (client, user, options) => client.users.requestCall(id(user), codeOptions(options)),
  verifyToken: (client, { token, action, ...user } = {}, options) =>
    client.tokens.verify(id(user), token as never, present({ action, ...options })),
  deleteUser: (client, user, options) => client.users.delete(id(user), options),
  getUserStatus: (client, user, options) => client.users.status(id(user), options),
  registerActivity: (client, { authyId, ...activity } = {}, options) =>
    client.users.registerActivity(authyId as never, { ...activity, ...options } as never),
  getApplicationDetails: (client, options) => client.app.details(options),
  getApplicationStatistics: (client, options) => client.app.stats(options),
  startPhoneVerification: (client, phone, options) =>
    client.phones.startVerification({ ...phone, ...options } as never),
  verifyPhone: (client, { token, ...phone } = {}) =>
    client.phones.checkVerification({ ...phone, code: token } as never),
  getPhoneInformation: (client, phone, options) => client.phones.info({ ...phone, ...options } as never),
  createApprovalRequest: (client, { authyId, message, logos, details } = {}, { ttl } = {}) => {
    const { visible, hidden } = (details ?? {}) as Bag
    const request = { details: visible, hiddenDetails: hidden, logos, message, expiresInSeconds: ttl }
    return client.oneTouch.createApprovalRequest(authyId as never, present(request))
  },
  getApprovalRequest: (client, request = {}) => client.oneTouch.getApprovalRequest(request['id'] as never),
}

/** The same call of ours, for each call of npm `authy`. Its arguments are a list without names. */
export const npmAuthyCalls: Readonly<
  Record<string, (client: AuthyClient, ...args: readonly never[]) => Promise<unknown>>
> = {
  register_user: (client, email, phone, third: unknown, fourth: unknown) => {
    const [countryCode, sendInstallLink] = typeof third === 'boolean' ? ['1', third] : [third ?? '1', fourth ?? true]
    return client.users.create(present({ email, phone, countryCode, sendInstallLink }))
  },
  delete_user: (client, user) => client.users.delete(user),
  user_status: (client, user) => client.users.status(user),
  verify: (client, user, token, force) => client.tokens.verify(user, token, present({ force })),
  request_sms: (client, user, force) => client.users.requestSms(user, present({ force })),
  request_call: (client, user, force) => client.users.requestCall(user, present({ force })),
  'phones.verification_start': (client, phone, countryCode, options: unknown) => {
    const given: Bag = typeof options === 'object' && options !== null ? { ...options } : { via: options }
    const { via, locale, code_length: length, custom_code: customCode, custom_message: customMessage } = given
    const codeLength = length === undefined ? undefined : Number(length)
    return client.phones.startVerification(
      present({ phone, countryCode, via, locale, codeLength, customCode, customMessage }),
    )
  },
  'phones.verification_check': (client, phone, countryCode, code) =>
    client.phones.checkVerification({ phone, countryCode, code }),
  'phones.verification_status': (client, phone, countryCode) =>
    client.phones.verificationStatus({ phone, countryCode }),
  'phones.info': (client, phone, countryCode) => client.phones.info({ phone, countryCode }),
  send_approval_request: (client, user, question: unknown, hidden: unknown, logos: unknown) => {
    const { message, details, seconds_to_expire: expiresInSeconds } = question as Bag
    const hiddenDetails = hidden !== null && Object.keys(hidden as Bag).length > 0 ? hidden : undefined
    return client.oneTouch.createApprovalRequest(
      user,
      present({ message, details, hiddenDetails, logos: logos ?? undefined, expiresInSeconds }),
    )
  },
  check_approval_status: (client, uuid) => client.oneTouch.getApprovalRequest(uuid),
}

function codeOptions({ message, ...options }: Bag = {}): never {
  return present({ ...options, actionMessage: message })
}

function present(bag: Bag): never {
  return Object.fromEntries(Object.entries(bag).filter(([, value]) => value !== undefined)) as never
}

import { ConfigurationError } from '../errors.js'
import type { UserAccounts } from './accounts.js'
import { createAdministration } from './administration.js'
import { checkBody } from './body.js'
import { findUser, type ServiceContext } from './context.js'
import { outcomeOf } from './outcome.js'
import { provePassword, setPassword } from './password-changes.js'
import { confirmReset, requestReset } from './password-reset.js'
import { confirmPhoneCode, sendPhoneCode } from './phone-codes.js'
import { publicUser, readSessionKey } from './public-user.js'
import { refusals } from './refusal.js'
import { register } from './registration.js'
import {
  confirmBody,
  loginBody,
  patchUserBody,
  phoneBody,
  phoneConfirmBody,
  registerBody,
  resetBody,
  setPasswordBody,
} from './request-schemas.js'
import { stringMember, type Schema } from './schema.js'
import type { SignIn } from './sign-in.js'
import { changesOf, changeUser } from './user-changes.js'
import type { UserRecord } from './user-store.js'
import type { PhoneVerification } from './verification.js'

type Members = Readonly<Record<string, unknown>>
type Answering = Parameters<UserAccounts['verifyPassword']>[0]['res']

/** The routes' own steps, fed by calls instead of bodies: what holds for the one holds for the other. */
export function createAccounts(context: ServiceContext, signIn: SignIn): UserAccounts {
  const bodyOf = (members: Members, schema: Schema) => checkBody(members, schema, context.settings.maxBodyBytes)
  return {
    ...createAdministration(context),
    verifyPassword: ({ req, res, email, password }) =>
      outcomeOf(async () => {
        const body = bodyOf({ email, password }, loginBody)
        const credentials = { email: stringMember(body, 'email'), password: stringMember(body, 'password') }
        const { user, client, headers } = await signIn(req, credentials)
        remember(res, headers)
        context.emit({ type: 'login', userId: user.id, client, reason: 'application' })
        return { user: publicUser(user) }
      }),
    register: ({ req, res, email, password, phone, firstName, lastName }) =>
      outcomeOf(async () => {
        const members = { email, password, phone, first_name: firstName, last_name: lastName }
        const registered = await register(context, req, bodyOf(members, registerBody))
        if (registered !== undefined) remember(res, registered.headers)
        return { user: registered && publicUser(registered.user) }
      }),
    async findBySession(sessionKey) {
      const user = await userOfSession(context, sessionKey)
      return user && publicUser(user)
    },
    requestReset: ({ req, email, urlTemplate }) =>
      outcomeOf(async () => {
        await requestReset(context, req, bodyOf({ email, url_template: urlTemplate }, resetBody))
        return {}
      }),
    confirmReset: ({ req, token, newPassword }) =>
      outcomeOf(async () => {
        const body = bodyOf({ token, new_password: newPassword }, confirmBody)
        return { user: publicUser(await confirmReset(context, req, body)) }
      }),
    changePassword: ({ req, sessionKey, currentPassword, newPassword }) =>
      outcomeOf(async () => {
        const body = bodyOf({ password: newPassword, current_password: currentPassword }, setPasswordBody)
        const user = await userOfSession(context, sessionKey)
        if (user === undefined) throw refusals.blacklisted()
        await provePassword(context, req, user, stringMember(body, 'current_password'))
        const change = { password: stringMember(body, 'password'), actorId: user.id }
        return { user: publicUser(await setPassword(context, user, change)) }
      }),
    sendPhoneCode: ({ req, phone, resend }) =>
      outcomeOf(async () => {
        await sendPhoneCode(context, verificationOf(context), req, bodyOf({ phone, resend }, phoneBody))
        return {}
      }),
    confirmPhone: ({ req, phone, code, userId }) =>
      outcomeOf(async () => {
        const body = bodyOf({ phone, code }, phoneConfirmBody)
        await confirmPhoneCode(context, verificationOf(context), req, { body, userId: async () => userId })
        return {}
      }),
    update: (userId, { email, phone, firstName, lastName }) =>
      outcomeOf(async () => {
        const target = await findUser(context, String(userId))
        if (target?.isActive !== true) throw refusals.noSuchUser(String(userId))
        const members = { email: email ?? target.email, phone, first_name: firstName, last_name: lastName }
        const changes = changesOf(context, target, target, bodyOf(members, patchUserBody))
        return { user: publicUser(await changeUser(context, target, target, changes)) }
      }),
  }
}

async function userOfSession(context: ServiceContext, sessionKey: unknown): Promise<UserRecord | undefined> {
  const key = readSessionKey(sessionKey)
  const user = key && (await findUser(context, key.id))
  return user?.isActive === true && user.epoch === key?.epoch ? user : undefined
}

function verificationOf({ verification }: ServiceContext): PhoneVerification {
  if (verification !== undefined) return verification
  throw new ConfigurationError('phones are verified where userService is given senders.sms or verification.method')
}

function remember(res: Answering, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) res?.appendHeader(name, value)
}

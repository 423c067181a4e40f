import { z } from 'zod'
import type { Send } from '../../approval/send-limits.js'
import { encodePath } from '../http.js'
import type { AuthyApi } from './api.js'
import {
  callSignal,
  emailInput,
  flagInput,
  parseInput,
  requesterInput,
  signalInput,
  userArguments,
  type Arguments,
  type AuthyId,
  type RequesterOptions,
  type MethodOptions,
} from './input.js'
import { phoneShape, sendToPhone, splitPhone, type PhoneInput } from './phone-number.js'
import { createUserReply, emailReply, messageReply, sendReply, userStatusReply } from './wire-users.js'
import {
  activityInput,
  codeInputOf,
  codeQuery,
  type Activity,
  type CallRequest,
  type SmsRequest,
} from './users-input.js'
import { AuthyEnrolment } from './users-enrolment.js'

/** A person to register. */
export interface NewUser extends PhoneInput, MethodOptions {
  readonly email: string
  /** Whether the service sends a link to the app by SMS. Left out: the service decides, and sends it. */
  readonly sendInstallLink?: boolean | undefined
}

/** What the service knows of a user. */
export type UserStatus = z.output<typeof userStatusReply>
/** What became of a request for a code. `ignored`: nothing was sent, because the person has the app and `force` was not given. */
export type CodeSent = z.output<typeof sendReply>
/** What became of a request for a code by e-mail. */
export type EmailSent = z.output<typeof emailReply>
/** The service's own sentence, where it gave one. */
export type Done = z.output<typeof messageReply>

const newUser = z.strictObject({
  ...phoneShape,
  email: emailInput,
  sendInstallLink: flagInput.optional(),
  signal: signalInput,
})
const changesInput = z.strictObject({ email: emailInput, signal: signalInput })

/** `client.users`: people, the codes that are sent to them, enrolment by QR code, and moving away. */
export class AuthyUsers extends AuthyEnrolment {
  readonly #api: AuthyApi

  /** @internal */
  constructor(api: AuthyApi, apiKey: string, now: () => number) {
    super(api, apiKey, now)
    this.#api = api
  }

  /** Registers a person. The same phone gives the same Authy id again; the e-mail address is added to it. */
  async create(user: NewUser, call: MethodOptions = {}): Promise<z.output<typeof createUserReply>> {
    const operation = 'users.create'
    const { email, sendInstallLink, signal, ...phone } = parseInput(newUser, user, operation)
    const { countryCode, national } = splitPhone(phone)
    const json = {
      user: { cellphone: national, country_code: countryCode, email },
      ...(sendInstallLink !== undefined && { send_install_link_via_sms: sendInstallLink }),
    }
    const path = '/protected/json/users/new'
    // Unless it is told not to, the service sends a text message with a link.
    const sends = sendInstallLink === false ? undefined : sendToPhone({ countryCode, national })
    return this.#api.call(
      { operation, method: 'POST', path, label: path, json, reply: createUserReply, ...(sends && { sends }) },
      callSignal(operation, call, { signal }),
    )
  }

  /** Reads what the service knows of a user. The phone number is masked. */
  async status(authyId: AuthyId, options: RequesterOptions = {}, call: MethodOptions = {}): Promise<UserStatus> {
    const operation = 'users.status'
    const args = userArguments(operation, requesterInput, [authyId, options, call])
    const path = encodePath`/protected/json/users/${{ authyId: args.id }}/status`
    const label = '/protected/json/users/{id}/status'
    const query = { user_ip: args.given.ip }
    const request = { operation, method: 'GET', path, label, query, reply: userStatusReply, repeatable: true } as const
    const status = await this.#api.call(request, args.call)
    if (status.authyId !== args.id) throw this.#api.contradiction('the answer is about another user')
    return status
  }

  /** Takes a user out of the application. Takes effect after about 24 hours; until then tokens may still be valid. */
  async delete(authyId: AuthyId, options: RequesterOptions = {}, call: MethodOptions = {}): Promise<Done> {
    const { id, given, ...rest } = userArguments('users.delete', requesterInput, [authyId, options, call])
    return this.#post('users.delete', id, 'remove', given.ip === undefined ? {} : { user_ip: given.ip }, rest.call)
  }

  /** Changes a user's e-mail address. */
  async update(
    authyId: AuthyId,
    changes: { readonly email: string } & MethodOptions,
    call: MethodOptions = {},
  ): Promise<Done> {
    const { id, given, ...rest } = userArguments('users.update', changesInput, [authyId, changes, call])
    return this.#post('users.update', id, 'update', { email: given.email }, rest.call)
  }

  /** Tells the service of something that happened to the user's account with you. */
  async registerActivity(authyId: AuthyId, activity: Activity, call: MethodOptions = {}): Promise<Done> {
    const { id, given, ...rest } = userArguments('users.registerActivity', activityInput, [authyId, activity, call])
    const { type, data, ip } = given
    const json = { ...(data && { data }), type, ...(ip !== undefined && { user_ip: ip }) }
    return this.#post('users.registerActivity', id, 'register_activity', json, rest.call)
  }

  /**
   * Sends a code by SMS. If the person has the app and `force` isn't true, nothing is sent and `ignored` is true. Not idempotent.
   *
   * The code is one of the user's tokens: check it with `tokens.verify`, with the same `action`.
   */
  async requestSms(authyId: AuthyId, options: SmsRequest = {}, call: MethodOptions = {}): Promise<CodeSent> {
    return this.#sendCode('sms', authyId, options, call)
  }

  /** Calls the person and speaks a code. Otherwise as {@link AuthyUsers.requestSms}. */
  async requestCall(authyId: AuthyId, options: CallRequest = {}, call: MethodOptions = {}): Promise<CodeSent> {
    return this.#sendCode('call', authyId, options, call)
  }

  /** Sends a code by e-mail, where the application has that. A weak second factor: often the same mailbox resets the password. */
  async requestEmail(authyId: AuthyId, options: RequesterOptions = {}, call: MethodOptions = {}): Promise<EmailSent> {
    const operation = 'users.requestEmail'
    const args = userArguments(operation, requesterInput, [authyId, options, call])
    const path = encodePath`/protected/json/email/${{ authyId: args.id }}`
    const label = '/protected/json/email/{id}'
    const json = args.given.ip === undefined ? {} : { user_ip: args.given.ip }
    const sends = sendTo(args)
    return this.#api.call({ operation, method: 'POST', path, label, json, reply: emailReply, sends }, args.call)
  }

  async #sendCode(via: 'sms' | 'call', authyId: AuthyId, options: SmsRequest, call: MethodOptions): Promise<CodeSent> {
    const operation = via === 'sms' ? 'users.requestSms' : 'users.requestCall'
    const args = userArguments(operation, codeInputOf(via), [authyId, options, call])
    const path = encodePath`/protected/json/${{ via }}/${{ authyId: args.id }}`
    const label = `/protected/json/${via}/{id}`
    const query = codeQuery(args.given)
    const sends = sendTo(args)
    return this.#api.call({ operation, method: 'GET', path, label, query, reply: sendReply, sends }, args.call)
  }

  async #post(
    operation: string,
    id: string,
    action: string,
    json: { readonly [key: string]: string | Readonly<Record<string, string>> },
    call: MethodOptions,
  ): Promise<Done> {
    const path = encodePath`/protected/json/users/${{ authyId: id }}/${{ action }}`
    const label = `/protected/json/users/{id}/${action}`
    return this.#api.call({ operation, method: 'POST', path, label, json, reply: messageReply }, call)
  }
}

function sendTo({ id, given }: Arguments<RequesterOptions>): Send {
  return { recipient: `authy:${id}`, address: given.ip }
}

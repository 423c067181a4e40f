import { z } from 'zod'
import type { CallOptions } from '../../approval/channel.js'
import { InvalidInputError, ProviderRejectedError } from '../../errors.js'
import { encodeSegment, type HttpResponse } from '../http.js'
import type { Gateway } from './gateway.js'
import { addUsersSchema, deviceSchema, outcomeSchema, registerUrlSchema } from './wire.js'

/** Options of {@link ActiveconnectUsers.registrationLink}. */
export interface RegistrationLinkOptions extends CallOptions {
  /** Shown on the phone. Default: nothing. */
  readonly displayName?: string
}

/** Options of {@link ActiveconnectUsers.sendRegistrationSms}. */
export interface RegistrationSmsOptions extends CallOptions {
  /** E.164, with `+`. */
  readonly phoneNumber: string
  /** Shown on the phone. Default: nothing. */
  readonly displayName?: string
  /** Text before the link. Default: the service's own. */
  readonly message?: string
}

const MAX_BULK = 1000

const userIdList = z.array(z.string()).min(1).max(MAX_BULK)

/** Users and their phones at Activeconnect. A user is known there only by the random token that the application chose. */
export class ActiveconnectUsers {
  readonly #gateway: Gateway
  readonly #app: string

  /** @internal */
  constructor(gateway: Gateway, applicationId: string) {
    this.#gateway = gateway
    this.#app = encodeURIComponent(applicationId)
  }

  /** Adds a user. `user_exists` when there was one of that id. */
  async add(userId: string, call: CallOptions = {}): Promise<'success' | 'user_exists' | 'failed'> {
    const response = await this.#post('users.add', 'add_users', [userId], call)
    if (!this.#outcome(response).status) return 'failed'
    const { created, existing } = this.#read(response, addUsersSchema).users
    if (existing.length > 0) return 'user_exists'
    // Not compared: whether ids keep their case at the service is not known.
    return created.length > 0 ? 'success' : 'failed'
  }

  /**
   * Adds up to 1000 users.
   * @throws ProviderRejectedError when the service added none of them.
   */
  async addMany(
    userIds: readonly string[],
    call: CallOptions = {},
  ): Promise<{ readonly created: readonly string[]; readonly existing: readonly string[] }> {
    const response = await this.#post('users.addMany', 'add_users', userIds, call)
    this.#assertOutcome(response)
    return this.#read(response, addUsersSchema).users
  }

  /** Deletes a user, closes their sessions and forgets their phone. */
  async delete(userId: string, call: CallOptions = {}): Promise<'success' | 'failed'> {
    return this.deleteMany([userId], call)
  }

  /** Deletes up to 1000 users. Ids that don't exist are no failure. */
  async deleteMany(userIds: readonly string[], call: CallOptions = {}): Promise<'success' | 'failed'> {
    const response = await this.#post('users.delete', 'delete_users', userIds, call)
    return this.#outcome(response).status ? 'success' : 'failed'
  }

  /**
   * The link that binds a phone to the user: whoever opens it first becomes the user, so show it to nobody else and
   * never log it. It works once and for a limited time.
   */
  async registrationLink(userId: string, options: RegistrationLinkOptions = {}): Promise<string> {
    const { displayName, signal } = options
    const response = await this.#gateway.application({
      operation: 'users.registrationLink',
      method: 'GET',
      path: `/management/device_registration_link/${this.#app}/${segment(userId)}`,
      label: '/management/device_registration_link/{app}/{user}',
      ...(displayName ? { query: { display_name: displayName } } : {}),
      signal,
    })
    this.#assertOutcome(response)
    return this.#read(response, registerUrlSchema).register_url
  }

  /** Has the service send the link as a text message. Never repeated by itself. False when the service did not send it. */
  async sendRegistrationSms(userId: string, options: RegistrationSmsOptions): Promise<boolean> {
    const { phoneNumber, displayName, message, signal } = options
    if (typeof phoneNumber !== 'string' || phoneNumber.trim() === '') {
      throw new InvalidInputError('phoneNumber', 'give the phone number')
    }
    const response = await this.#gateway.application({
      operation: 'users.sendRegistrationSms',
      method: 'POST',
      path: `/management/send_registration_sms/${this.#app}/${segment(userId)}`,
      label: '/management/send_registration_sms/{app}/{user}',
      json: {
        phone_number: phoneNumber,
        ...(displayName ? { display_name: displayName } : {}),
        ...(message ? { message } : {}),
      },
      signal,
    })
    return this.#outcome(response).status
  }

  /** Whether the user has a phone. */
  async hasMobileDevice(
    userId: string,
    call: CallOptions = {},
  ): Promise<'has_mobile_device' | 'no_mobile_device' | 'failed'> {
    const response = await this.#gateway.application({
      operation: 'users.hasMobileDevice',
      method: 'GET',
      path: `/management/has_registered_mobile_device/${this.#app}/${segment(userId)}`,
      label: '/management/has_registered_mobile_device/{app}/{user}',
      repeatable: true,
      signal: call.signal,
    })
    if (!this.#outcome(response).status) return 'failed'
    return this.#read(response, deviceSchema).device_registered ? 'has_mobile_device' : 'no_mobile_device'
  }

  /** Disables the user's phone at once, closes what depends on it, and gives the link for a new one. Never repeated by itself. */
  async lostDevice(userId: string, call: CallOptions = {}): Promise<string> {
    const response = await this.#gateway.application({
      operation: 'users.lostDevice',
      method: 'GET',
      path: `/management/lost_user_mobile_device/${this.#app}/${segment(userId)}`,
      label: '/management/lost_user_mobile_device/{app}/{user}',
      signal: call.signal,
    })
    this.#assertOutcome(response)
    return this.#read(response, registerUrlSchema).register_url
  }

  async #post(operation: string, verb: string, userIds: readonly string[], call: CallOptions): Promise<HttpResponse> {
    if (!userIdList.safeParse(userIds).success) {
      throw new InvalidInputError('userIds', `give a list of 1 to ${MAX_BULK} user ids`)
    }
    for (const userId of userIds) segment(userId)
    return this.#gateway.application({
      operation,
      method: 'POST',
      path: `/management/${verb}/${this.#app}`,
      label: `/management/${verb}/{app}`,
      json: { users: [...new Set(userIds)] },
      signal: call.signal,
    })
  }

  #outcome(response: HttpResponse): z.output<typeof outcomeSchema> {
    return this.#read(response, outcomeSchema)
  }

  // A 2xx is not yet success: the operation itself may have failed.
  #assertOutcome(response: HttpResponse): void {
    const { status, reason } = this.#outcome(response)
    if (!status) {
      throw new ProviderRejectedError('activeconnect', { status: response.status, providerCode: reason?.slice(0, 100) })
    }
  }

  #read<S extends z.ZodType>(response: HttpResponse, schema: S): z.output<S> {
    const result = schema.safeParse(response.json())
    if (result.success) return result.data
    throw this.#gateway.protocolError('the answer does not have the documented fields', response.status)
  }
}

/** @internal A user id as one segment of a path. */
export function segment(userId: string): string {
  return encodeSegment('userId', userId, { slashes: true, maxLength: 255 })
}

import { z } from 'zod'
import type { CallOptions } from '../../approval/channel.js'
import type { ManagementCalls } from './management-calls.js'
import {
  activitySchema,
  administratorSchema,
  applicationSchema,
  deviceSchema,
  invitationSchema,
  limitsSchema,
  listOf,
  organizationSchema,
  pageOf,
  userSchema,
  type PassByMeAdministrator,
  type PassByMeApplication,
  type PassByMeDevice,
  type PassByMeInvitation,
  type PassByMeLimits,
  type PassByMeOrganization,
  type PassByMePage,
  type PassByMeUser,
} from './management-wire.js'
import { ManagementEnrollments } from './management-users.js'

/** Administrators of the organisation. */
export class ManagementAdministrators {
  /** Invitations of their phones. */
  readonly enrollments: ManagementEnrollments
  readonly #calls: ManagementCalls

  /** @internal */
  constructor(calls: ManagementCalls) {
    this.#calls = calls
    this.enrollments = new ManagementEnrollments(calls, 'administrators')
  }

  async list(call: CallOptions = {}): Promise<readonly PassByMeAdministrator[]> {
    const request = { operation: 'administrators.list', method: 'GET', path: ['rest', 'administrators'] } as const
    return (await this.#calls.read(listOf(administratorSchema), { ...call, ...request })).data
  }

  /** Makes an administrator a user as well. @param adminId - their login e-mail. */
  async asUser(userId: string, adminId: string, call: CallOptions = {}): Promise<PassByMeUser> {
    const request = {
      operation: 'administrators.asUser',
      method: 'POST',
      path: ['rest', 'administrators', 'user'],
    } as const
    return this.#calls.read(userSchema, { ...call, ...request, json: { userId, adminId } })
  }

  async devices(userId: string, call: CallOptions = {}): Promise<readonly PassByMeDevice[]> {
    const path = ['rest', 'administrators', { userId }, 'devices']
    const request = { operation: 'administrators.devices', method: 'GET', path } as const
    return (await this.#calls.read(listOf(deviceSchema), { ...call, ...request })).data
  }

  /** Invites a new administrator. Never repeated by itself. */
  async invite(call: CallOptions = {}): Promise<PassByMeInvitation> {
    const request = { operation: 'invitations.create', method: 'POST', path: ['rest', 'invitations'] } as const
    return this.#calls.read(invitationSchema, { ...call, ...request })
  }

  async invitations(call: CallOptions = {}): Promise<readonly PassByMeInvitation[]> {
    const request = { operation: 'invitations.list', method: 'GET', path: ['rest', 'invitations'] } as const
    return (await this.#calls.read(listOf(invitationSchema), { ...call, ...request })).data
  }
}

/** Applications of the organisation. */
export class ManagementApplications {
  readonly #calls: ManagementCalls

  /** @internal */
  constructor(calls: ManagementCalls) {
    this.#calls = calls
  }

  async create(name: string, call: CallOptions = {}): Promise<PassByMeApplication> {
    const request = { operation: 'applications.create', method: 'POST', path: ['rest', 'applications'] } as const
    return this.#calls.read(applicationSchema, { ...call, ...request, json: { name } })
  }

  async list(call: CallOptions = {}): Promise<readonly PassByMeApplication[]> {
    const request = { operation: 'applications.list', method: 'GET', path: ['rest', 'applications'] } as const
    return (await this.#calls.read(listOf(applicationSchema), { ...call, ...request })).data
  }

  async get(id: string, call: CallOptions = {}): Promise<PassByMeApplication> {
    const path = ['rest', 'applications', { id }]
    return this.#calls.read(applicationSchema, { ...call, operation: 'applications.get', method: 'GET', path })
  }

  async rename(id: string, name: string, call: CallOptions = {}): Promise<string> {
    const path = ['rest', 'applications', { id }]
    return this.#calls.text({ ...call, operation: 'applications.rename', method: 'PUT', path, json: { name } })
  }

  async delete(id: string, call: CallOptions = {}): Promise<string> {
    const path = ['rest', 'applications', { id }]
    return this.#calls.text({ ...call, operation: 'applications.delete', method: 'DELETE', path })
  }
}

/** Phones of everybody. */
export class ManagementDevices {
  readonly #calls: ManagementCalls

  /** @internal */
  constructor(calls: ManagementCalls) {
    this.#calls = calls
  }

  async list(call: CallOptions = {}): Promise<PassByMePage<PassByMeDevice>> {
    const request = { operation: 'devices.list', method: 'GET', path: ['rest', 'devices'] } as const
    return this.#calls.read(pageOf(deviceSchema), { ...call, ...request })
  }

  /** Has the service mail the password with which the phone can be deactivated. */
  async mailDeactivationPassword(vendorId: string, call: CallOptions = {}): Promise<void> {
    const path = ['rest', 'devices', 'deactivationpass']
    await this.#calls.text({
      ...call,
      operation: 'devices.mailDeactivationPassword',
      method: 'POST',
      path,
      json: { vendorId },
    })
  }

  async delete(deactivationPassword: string, call: CallOptions = {}): Promise<void> {
    const request = { operation: 'devices.delete', method: 'POST', path: ['rest', 'devices', 'deactivations'] } as const
    // What the service answers is not known; that it is 200 is all that counts.
    await this.#calls.read(z.unknown(), { ...call, ...request, json: { deactivationPassword } })
  }
}

/** The organisation itself. */
export class ManagementOrganization {
  readonly #calls: ManagementCalls

  /** @internal */
  constructor(calls: ManagementCalls) {
    this.#calls = calls
  }

  async get(call: CallOptions = {}): Promise<PassByMeOrganization> {
    const request = { operation: 'organization.get', method: 'GET', path: ['rest', 'organization'] } as const
    return this.#calls.read(organizationSchema, { ...call, ...request })
  }

  /** Writes the whole organisation as it was got, changed. */
  async modify(organization: PassByMeOrganization, call: CallOptions = {}): Promise<void> {
    const json = z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(organization)))
    const request = { operation: 'organization.modify', method: 'PUT', path: ['rest', 'organization'] } as const
    await this.#calls.text({ ...call, ...request, json })
  }

  /** The maxima of the subscription. */
  async limits(call: CallOptions = {}): Promise<PassByMeLimits> {
    const path = ['rest', 'organization', 'pricing']
    return this.#calls.read(limitsSchema, { ...call, operation: 'organization.limits', method: 'GET', path })
  }

  /** The activity log, newest first as the service sorts it. */
  async activity(
    options: CallOptions & { readonly start?: number; readonly length?: number; readonly search?: string } = {},
  ): Promise<PassByMePage<Readonly<Record<string, unknown>>>> {
    const { start = 0, length = 1000, search = '', ...call } = options
    const query = { start, length, 'search[value]': search }
    const request = { operation: 'organization.activity', method: 'GET', path: ['rest', 'activity'], query } as const
    return this.#calls.read(pageOf(activitySchema), { ...call, ...request })
  }
}

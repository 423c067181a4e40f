import { z } from 'zod'
import type { CallOptions } from '../../approval/channel.js'
import type { ManagementCalls } from './management-calls.js'
import {
  aliasSchema,
  deviceSchema,
  enrollmentSchema,
  listOf,
  pageOf,
  userSchema,
  type PassByMeAlias,
  type PassByMeDevice,
  type PassByMeEnrollment,
  type PassByMePage,
  type PassByMeUser,
} from './management-wire.js'

/** A user to be created. Their `userId` becomes their first alias. */
export interface NewPassByMeUser {
  readonly userId: string
  readonly email: string
  readonly fullName?: string
  /** E.164. */
  readonly phoneNumber?: string
}

/** Users of the organisation. */
export class ManagementUsers {
  readonly #calls: ManagementCalls

  /** @internal */
  constructor(calls: ManagementCalls) {
    this.#calls = calls
  }

  /** Creates a user. Never repeated by itself. */
  async create(user: NewPassByMeUser, call: CallOptions = {}): Promise<PassByMeUser> {
    const { userId, email, fullName, phoneNumber } = user
    const json = { userId, email, ...(fullName && { fullName }), ...(phoneNumber && { phoneNumber }) }
    return this.#calls.read(userSchema, {
      ...call,
      operation: 'users.create',
      method: 'POST',
      path: ['rest', 'users'],
      json,
    })
  }

  async list(call: CallOptions = {}): Promise<PassByMePage<PassByMeUser>> {
    return this.#calls.read(pageOf(userSchema), {
      ...call,
      operation: 'users.list',
      method: 'GET',
      path: ['rest', 'users'],
    })
  }

  async count(call: CallOptions = {}): Promise<number> {
    const path = ['rest', 'users', 'count']
    return this.#calls.read(z.int().min(0), { ...call, operation: 'users.count', method: 'GET', path })
  }

  async get(oid: string, call: CallOptions = {}): Promise<PassByMeUser> {
    return this.#calls.read(userSchema, {
      ...call,
      operation: 'users.get',
      method: 'GET',
      path: ['rest', 'users', { oid }],
    })
  }

  /** Writes a whole user as it was got, changed: `email`, `fullName`, `phoneNumber`, `disabled`. Gives the oid. */
  async modify(user: PassByMeUser, call: CallOptions = {}): Promise<string> {
    const path = ['rest', 'users', { oid: user.oid }]
    const json = z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(user)))
    return this.#calls.text({ ...call, operation: 'users.modify', method: 'PUT', path, json })
  }

  async delete(oid: string, call: CallOptions = {}): Promise<string> {
    return this.#calls.text({ ...call, operation: 'users.delete', method: 'DELETE', path: ['rest', 'users', { oid }] })
  }

  async devices(oid: string, call: CallOptions = {}): Promise<readonly PassByMeDevice[]> {
    const path = ['rest', 'users', { oid }, 'devices']
    return (await this.#calls.read(listOf(deviceSchema), { ...call, operation: 'users.devices', method: 'GET', path }))
      .data
  }

  /** Whether the user has a phone that can take messages. */
  async hasDevice(oid: string, call: CallOptions = {}): Promise<boolean> {
    return (await this.devices(oid, call)).some(({ deviceType }) => Boolean(deviceType))
  }
}

/** Ids of users. Each is good as a recipient, and all of one person's lead to one `oid`. */
export class ManagementAliases {
  readonly #calls: ManagementCalls

  /** @internal */
  constructor(calls: ManagementCalls) {
    this.#calls = calls
  }

  async add(oid: string, userId: string, call: CallOptions = {}): Promise<PassByMeAlias> {
    const path = ['rest', 'loginNames', { oid }]
    return this.#calls.read(aliasSchema, { ...call, operation: 'aliases.add', method: 'POST', path, json: { userId } })
  }

  async list(oid: string, call: CallOptions = {}): Promise<readonly PassByMeAlias[]> {
    const path = ['rest', 'loginNames', { oid }]
    return (await this.#calls.read(listOf(aliasSchema), { ...call, operation: 'aliases.list', method: 'GET', path }))
      .data
  }

  /** The person behind an id. @throws PassByMeServiceError `NOT_FOUND` */
  async find(userId: string, call: CallOptions = {}): Promise<PassByMeAlias> {
    const request = {
      operation: 'aliases.find',
      method: 'GET',
      path: ['rest', 'loginNames'],
      query: { userId },
    } as const
    return this.#calls.read(aliasSchema, { ...call, ...request })
  }

  async delete(oid: string, userId: string, call: CallOptions = {}): Promise<string> {
    const request = { operation: 'aliases.delete', method: 'DELETE', path: ['rest', 'loginNames'] } as const
    return this.#calls.text({ ...call, ...request, query: { oid, userId } })
  }
}

/** Invitations of phones, of a user or of an administrator. */
export class ManagementEnrollments {
  readonly #calls: ManagementCalls
  readonly #kind: 'users' | 'administrators'

  /** @internal */
  constructor(calls: ManagementCalls, kind: 'users' | 'administrators') {
    this.#calls = calls
    this.#kind = kind
  }

  /** @param owner - a user's oid, or an administrator's userId. */
  async create(owner: string, call: CallOptions = {}): Promise<PassByMeEnrollment> {
    return this.#calls.read(enrollmentSchema, {
      ...call,
      operation: `${this.#kind}.enrollments.create`,
      method: 'POST',
      path: this.#path(owner),
    })
  }

  async list(owner: string, call: CallOptions = {}): Promise<readonly PassByMeEnrollment[]> {
    const request = { operation: `${this.#kind}.enrollments.list`, method: 'GET', path: this.#path(owner) } as const
    return (await this.#calls.read(listOf(enrollmentSchema), { ...call, ...request })).data
  }

  /** The sheet with the QR code, as PDF. */
  async sheet(owner: string, enrollmentId: string, call: CallOptions = {}): Promise<Uint8Array> {
    const path = ['download', this.#kind, { owner }, 'enrollments', { enrollmentId }, 'pdf']
    return this.#calls.pdf({ ...call, operation: `${this.#kind}.enrollments.sheet`, method: 'GET', path })
  }

  /** Has the service mail the sheet. Never repeated by itself. */
  async mailSheet(owner: string, enrollmentId: string, call: CallOptions = {}): Promise<string> {
    const path = [...this.#path(owner), { enrollmentId }, 'pdfviaemail']
    return this.#calls.text({ ...call, operation: `${this.#kind}.enrollments.mailSheet`, method: 'POST', path })
  }

  async delete(owner: string, enrollmentId: string, call: CallOptions = {}): Promise<string> {
    const path = [...this.#path(owner), { enrollmentId }]
    return this.#calls.text({ ...call, operation: `${this.#kind}.enrollments.delete`, method: 'DELETE', path })
  }

  #path(owner: string): readonly (string | Readonly<Record<string, string>>)[] {
    return ['rest', this.#kind, { owner }, 'enrollments']
  }
}

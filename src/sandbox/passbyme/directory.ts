import { randomBytes } from 'node:crypto'

export interface DirectoryDevice {
  readonly vendorId: string
  readonly deviceType: string
  readonly name: string
  readonly enrolledAt: number
  deactivationPassword: string | undefined
}

export interface Enrollment {
  readonly enrollmentId: string
  readonly token: string
  readonly expiresAt: number
  state: string
  sent: boolean
}

export interface DirectoryUser {
  readonly oid: string
  fullName: string | null
  email: string
  phoneNumber: string | null
  disabled: boolean
  readonly aliases: Set<string>
  devices: DirectoryDevice[]
  enrollments: Enrollment[]
}

const ROOT = '1.3.6.1.4.1.99999.3.1'

/** The people of the organisation. */
export class Directory {
  readonly users = new Map<string, DirectoryUser>()
  readonly activity: object[] = []
  readonly #now: () => number
  #next = 1

  constructor(now: () => number) {
    this.#now = now
  }

  /** Undefined when one of the ids is taken. */
  create(ids: readonly string[], email: string, fullName?: string, phoneNumber?: string): DirectoryUser | undefined {
    if (ids.some((id) => this.byAlias(id))) return undefined
    const user: DirectoryUser = {
      oid: `${ROOT}.${this.#next++}`,
      fullName: fullName ?? null,
      email,
      phoneNumber: phoneNumber ?? null,
      disabled: false,
      aliases: new Set(ids),
      devices: [],
      enrollments: [],
    }
    this.users.set(user.oid, user)
    this.note('user created', user.oid)
    return user
  }

  byAlias(userId: string): DirectoryUser | undefined {
    return [...this.users.values()].find(({ aliases }) => aliases.has(userId))
  }

  enrollment(): Enrollment {
    return {
      enrollmentId: String(this.#next++),
      token: randomBytes(16).toString('hex'),
      expiresAt: this.#now() + 86_400_000,
      state: 'ACTIVE',
      sent: false,
    }
  }

  addDevice(user: DirectoryUser, name: string): DirectoryDevice {
    const device: DirectoryDevice = {
      vendorId: `passbyme-${randomBytes(8).toString('hex')}`,
      deviceType: 'ANDROID',
      name,
      enrolledAt: this.#now(),
      deactivationPassword: undefined,
    }
    user.devices.push(device)
    this.note('device enrolled', user.oid)
    return device
  }

  note(event: string, subject: string): void {
    this.activity.unshift({ date: new Date(this.#now()).toISOString(), event, subject })
    this.activity.length = Math.min(this.activity.length, 10_000)
  }
}

/** A user as the service writes one. */
export function userBody(user: DirectoryUser): object {
  const { oid, fullName, email, phoneNumber, disabled } = user
  return { oid, shortOID: shortOid(oid), fullName, email, phoneNumber, disabled }
}

/** An alias as the service writes one. */
export function aliasBody(user: DirectoryUser, userId: string): object {
  return { userId, oid: user.oid, shortOID: shortOid(user.oid) }
}

function shortOid(oid: string): string {
  return oid.slice(oid.lastIndexOf('.') + 1)
}

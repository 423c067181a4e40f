import { MemoryStateStore, MemoryUserStore } from 'passport-outofband/stores'
import { emailKey, userService, type UserService, type UserServiceOptions } from 'passport-outofband/users'

export const SECRET = 'a secret of the bench, long enough: 0123456789'

export interface BenchService {
  readonly service: UserService
  readonly store: MemoryUserStore
  /** Makes a user without a password hash of their own (`hash` may be shared). */
  readonly addUser: (name: string, hash?: string) => Promise<number>
}

/** A user service with stores in memory and no limits in the way. */
export function benchService(extra: Partial<UserServiceOptions> = {}): BenchService {
  const store = new MemoryUserStore()
  const limit = { max: 1_000_000_000, windowSeconds: 60 }
  const limits = {
    login: limit,
    loginPerClient: limit,
    loginGlobal: limit,
    reset: limit,
    resetPerClient: limit,
    phone: limit,
    phonePerClient: limit,
    phonePerCountry: limit,
    phoneGlobal: limit,
  }
  const state = new MemoryStateStore({ capacity: 1_000_000 })
  const service = userService({ store, state, keys: SECRET, limits, ...extra })
  return {
    service,
    store,
    async addUser(name, hash) {
      const email = `${name}@example.com`
      const names = { phone: null, phoneKey: null, firstName: null, lastName: null }
      const account = {
        email,
        emailKey: emailKey(email),
        ...names,
        passwordHash: hash ?? null,
        isActive: true,
        roles: [],
      }
      const inserted = await store.insert({ ...account, at: Date.now() })
      if (!inserted.ok) throw new Error(inserted.reason)
      return inserted.user.id
    },
  }
}

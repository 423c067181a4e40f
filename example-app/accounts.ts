import type { PublicUser, UserAccounts } from 'passport-outofband/users'
import type { Customer, Customers } from './customers.js'

/** A person of the bank: the user of the user service, and what the bank knows of them. */
export interface Account extends Omit<Customer, 'user_id'> {
  /** The user's id as text: the subject of approvals and factors. */
  readonly id: string
  readonly userId: number
  readonly name: string
  readonly email: string
  /** The number that texts of the bank go to, once it is verified. */
  readonly phone: string | null
  readonly roles: readonly string[]
  /** What a session holds to name the person, until the user service ends their sessions. */
  readonly sessionKey: string
}

/** The account that Passport put on a request, if somebody is signed in. */
export function signedInAccount(req: { readonly user?: unknown }): Account | undefined {
  return isAccount(req.user) ? req.user : undefined
}

function isAccount(user: unknown): user is Account {
  return typeof user === 'object' && user !== null && 'sessionKey' in user && 'authy_id' in user
}

/** The people of the bank: who they are is the user service's to say, what they have is in the bank's own table. */
export class Accounts {
  readonly #people: UserAccounts
  readonly #customers: Customers

  constructor(people: UserAccounts, customers: Customers) {
    this.#people = people
    this.#customers = customers
  }

  /** Somebody by the subject of an approval. Nobody, if they were deactivated. */
  async find(id: string): Promise<Account | undefined> {
    const user = await this.#people.find(Number(id))
    return user?.isActive === true ? this.of(user) : undefined
  }

  /** Whom a session names: nobody after a deactivation or a new password. With `id`, that person or nobody. */
  async ofSession(sessionKey: unknown, id?: string): Promise<Account | undefined> {
    const user = await this.#people.findBySession(sessionKey)
    if (user === undefined || (id !== undefined && String(user.id) !== id)) return undefined
    return this.of(user)
  }

  async of(user: PublicUser): Promise<Account> {
    const { user_id: _id, ...customer } = await this.#customers.of(user.id)
    const name = [user.firstName, user.lastName].filter((part) => part !== null && part !== '').join(' ')
    const { email, phone, roles, sessionKey } = user
    return { ...customer, id: String(user.id), userId: user.id, name: name || email, email, phone, roles, sessionKey }
  }
}

import { createRequire } from 'node:module'

/** An answer of the service, as far as the tests look at it. Every field is checked by the test that uses it. */
export interface Answer {
  readonly user: { readonly id: number }
  readonly status: Readonly<Record<string, unknown>>
  readonly stats: readonly unknown[]
  readonly count: number
  readonly approval_request: { readonly uuid: string; readonly status: string }
}

type Call = (...args: readonly unknown[]) => Promise<Answer>

/** npm `authy-client` 1.1.4. */
export interface AuthyClient {
  readonly registerUser: Call
  readonly getUserStatus: Call
  readonly deleteUser: Call
  readonly requestSms: Call
  readonly requestCall: Call
  readonly verifyToken: Call
  readonly startPhoneVerification: Call
  readonly verifyPhone: Call
  readonly getPhoneInformation: Call
  readonly getApplicationDetails: Call
  readonly getApplicationStatistics: Call
  readonly registerActivity: Call
  readonly createApprovalRequest: Call
  readonly getApprovalRequest: Call
  readonly verifyCallback: (request: object) => Promise<unknown>
}

type CommunityMethod = (...args: readonly unknown[]) => unknown
type CommunityClient = Readonly<Record<string, CommunityMethod>> & {
  readonly phones: () => Readonly<Record<string, CommunityMethod>>
}

// Both are CommonJS without types; they are used as published.
const load = createRequire(import.meta.url)

export function authyClient(key: string, host: string): AuthyClient {
  const { Client } = load('authy-client') as {
    Client: new (credentials: { key: string }, options: { host: string }) => AuthyClient
  }
  return new Client({ key }, { host })
}

/** npm `authy` 1.4.0, its callbacks turned into promises. `phones.info` names a method of `phones()`. */
export function communityClient(key: string, url: string): (method: string, ...args: unknown[]) => Promise<Answer> {
  const create = load('authy') as (key: string, url: string) => CommunityClient
  return (method, ...args) =>
    new Promise((resolve, reject) => {
      const client = create(key, url)
      const done = (error: Error | null, body: Answer): void => (error ? reject(error) : resolve(body))
      const [group, name = ''] = method.split('.')
      if (group === 'phones') client.phones()[name]?.(...args, done)
      else client[method]?.(...args, done)
    })
}

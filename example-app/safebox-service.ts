import { SendSecureRejectedError } from 'passport-outofband'
import { getUserToken, SendSecureClient } from 'passport-outofband/sendsecure'

/** The bank's own user at SendSecure: all documents of customers go out in its name. */
export interface SendSecureAccount {
  readonly endpoint: string | undefined
  readonly enterpriseAccount: string
  readonly username: string
  readonly password: string
  readonly userEmail: string
}

/** A client that is signed in when somebody needs it first, and again when its token has expired. */
export class SafeBoxService {
  readonly userEmail: string
  readonly #account: Omit<SendSecureAccount, 'userEmail'>
  #client: Promise<SendSecureClient> | undefined

  constructor({ userEmail, ...account }: SendSecureAccount) {
    this.userEmail = userEmail
    this.#account = account
  }

  /** Runs calls that may be run twice: once more after a new sign-in if the service has refused the token. */
  async use<T>(run: (client: SendSecureClient) => Promise<T>): Promise<T> {
    const signedIn = this.#connect()
    try {
      return await run(await signedIn)
    } catch (error) {
      if (this.#client === signedIn) this.#client = undefined
      // The service answers an expired token with 403, like everything else that is not allowed.
      if (!(error instanceof SendSecureRejectedError) || ![401, 403].includes(error.status)) throw error
      return run(await this.#connect())
    }
  }

  /** A client whose token was good a moment ago: an upload can't be taken from the browser twice. */
  async client(): Promise<SendSecureClient> {
    return this.use(async (client) => {
      await client.getEnterpriseSettings()
      return client
    })
  }

  #connect(): Promise<SendSecureClient> {
    return (this.#client ??= this.#signIn())
  }

  async #signIn(): Promise<SendSecureClient> {
    const { endpoint, enterpriseAccount, username, password } = this.#account
    const device = { deviceId: 'larch-bank', deviceName: 'Larch Bank' }
    const { token, userId } = await getUserToken({ endpoint, enterpriseAccount, username, password, ...device })
    return new SendSecureClient({ endpoint, enterpriseAccount, token, userId })
  }
}

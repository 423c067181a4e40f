import type { GuessLimits, Logger } from 'passport-outofband'
import { useCodeOnce } from 'passport-outofband'
import type { AuthyClient } from 'passport-outofband/authy'
import {
  affoMailSender,
  affoSmsSender,
  userService,
  type SecondFactor,
  type UserEvent,
  type UserService,
} from 'passport-outofband/users'
import type { Config } from './config.js'
import { hasPhone } from './customers.js'
import type { GatewaySettings } from './gateways.js'
import type { Stores } from './stores.js'

/** What the user service of the bank is made of. */
export interface PeopleOptions {
  readonly config: Config
  readonly stores: Stores
  readonly authy: AuthyClient
  readonly limits: GuessLimits
  /** Who sends texts and mails. Without it there is neither "forgot password" nor a number that is verified. */
  readonly gateways: GatewaySettings | undefined
  readonly publicUrl: string
  readonly onEvent: (event: UserEvent) => void
  readonly logger: Logger
}

/** Where the link of a mail leads: the page for a new password. */
export function resetTemplate(publicUrl: string): string {
  return `${publicUrl}/reset/{token}`
}

/** The people of the bank, in the library's own user service. Pages use it in-process, everybody else at /api/v1.0. */
export function createPeople(options: PeopleOptions): UserService {
  const { config, stores, gateways, publicUrl, onEvent, logger } = options
  const mail = gateways && affoMailSender({ rootUrl: gateways.emailUrl, ...gateways.credential })
  const isQuiet = config.signUp === 'quiet' && mail !== undefined
  return userService({
    store: stores.users,
    state: stores.state,
    keys: config.tokenSecret,
    ...(gateways &&
      mail && {
        senders: { sms: affoSmsSender({ rootUrl: gateways.smsUrl, ...gateways.credential }), mail, notices: mail },
        verification: { required: true, from: 'Larch Bank', message: 'Larch Bank: your code is {token}' },
      }),
    // Eight characters are enough because the password is never the only lock: the phone is the second.
    passwords: { minLength: 8, blocklist: ['larch bank', 'larchbank'] },
    registration: isQuiet ? { mode: 'quiet', urlTemplate: resetTemplate(publicUrl) } : {},
    reset: {
      origins: mayHoldLinks(publicUrl) ? [publicUrl] : [],
      from: 'bank@larch.example',
      subject: 'A new password for Larch Bank',
    },
    secondFactor: appCode(options),
    // On one's own machine everybody is one client.
    limits: config.production ? {} : { registrationPerClient: { max: 500, windowSeconds: 3600 } },
    proxyDepth: config.production ? 1 : 0,
    openapi: true,
    onEvent,
    logger,
  })
}

/** Whether links in mails may lead to the bank: over https, or on this machine. */
export function mayHoldLinks(publicUrl: string): boolean {
  const { protocol, hostname } = new URL(publicUrl)
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

/**
 * What a token costs beside the password: a code of the phone, from the budget of guesses that the pages use too. Else the
 * API would be the door with one lock. Who has no phone yet can do nothing with a token that the pages wouldn't allow,
 * unless it is an administrator.
 */
function appCode({ stores, authy, limits }: PeopleOptions): SecondFactor {
  return {
    async challenge(user) {
      const customer = await stores.customers.of(user.id)
      if (!hasPhone(customer) && !user.roles.some((role) => role === 'admin' || role === 'service')) return undefined
      return { factors: customer.authy_id === null ? [] : ['code'] }
    },
    async verify(user, response) {
      const { authy_id: authyId } = await stores.customers.of(user.id)
      if (authyId === null || !/^\d{6,12}$/.test(response)) return false
      const subject = String(user.id)
      const permit = await limits.begin({ subject, factor: 'code' })
      const use = permit.allowed
        ? await useCodeOnce(stores.state, { realm: 'authy', subject, code: response })
        : undefined
      if (!permit.allowed || use === undefined) return false
      try {
        const { valid } = await authy.tokens.verify(authyId, response)
        await (valid ? permit.succeeded() : use.forget())
        return valid
      } catch (error) {
        // Nobody judged it: it may be tried again, and was no wrong guess.
        await Promise.all([use.forget(), permit.withdrawn()])
        throw error
      }
    },
  }
}

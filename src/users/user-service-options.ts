import { z } from 'zod'
import type { JsonObject } from '../approval/json.js'
import type { StateStore } from '../approval/state-store.js'
import { functionOption, loggerOption, objectWith, runtimeOption } from '../options.js'
import type { Logger, Runtime } from '../runtime.js'
import type { UserEvent } from './events.js'
import { keysOption, type UserServiceKeys } from './keys.js'
import type { Limit } from './limits.js'
import type { Argon2Options, PasswordHasher } from './password-hasher.js'
import { parseMailbox } from './mail-address.js'
import { mayCarryToken } from './reset.js'
import type { SecondFactor } from './second-factor.js'
import type { MailSender, SmsSender } from './senders.js'
import type { LoginFacts } from './tokens.js'
import type { UserRecord, UserStore } from './user-store.js'
import type { CodeGenerator, PhoneVerification } from './verification.js'

/** What {@link userService} takes. Everything that is left out is as safe as it can be. */
export interface UserServiceOptions {
  readonly store: UserStore
  /** Sessions, codes, reset tokens and limits. A durable one keeps logouts over a restart. */
  readonly state: StateStore
  readonly keys: UserServiceKeys
  /** Who delivers. Without `mail` nobody gets reset mails; without `sms` (and `verification.method`) there are no phone routes. */
  readonly senders?: {
    readonly sms?: SmsSender
    readonly mail?: MailSender
    /** Tells users that their password, address or phone was changed. */
    readonly notices?: MailSender
  }
  readonly tokens?: {
    /** Default 900. */
    readonly accessSeconds?: number
    /** From the login, however often it is refreshed. Default 30 days. */
    readonly refreshSeconds?: number
    /** Ends a session that was not refreshed for so long. Default: none. */
    readonly idleSeconds?: number
    /** How long the token before the newest may be refreshed again. Default 30. */
    readonly graceSeconds?: number
    /** False: every token of a session can be refreshed until it ends, as in the original. Default true. */
    readonly rotate?: boolean
    /** `aud` of the tokens; without it a token with any `aud` is refused. Verifiers of the original refuse tokens that have one. */
    readonly audience?: string
    /** `iss` of the tokens. */
    readonly issuer?: string
    /**
     * More claims, fixed at the login, such as `amr` and `auth_time` from what is known of it. The service's own can't be
     * changed.
     */
    readonly claims?: (user: UserRecord, login: LoginFacts) => JsonObject
    /** How long after a login a user may change password, address and phone without proving the password again. Default 300. */
    readonly freshSeconds?: number
  }
  readonly passwords?: {
    /** 8 or more. Default 15: the password is the only factor. */
    readonly minLength?: number
    /** Refused besides the common ones: the name of the product, of the company. */
    readonly blocklist?: readonly string[]
    /** Looks a password up among breached ones. */
    readonly isBreached?: (password: string) => boolean | Promise<boolean>
    readonly argon2?: Argon2Options
    readonly hasher?: PasswordHasher
    /**
     * After an import: a hash of each kind that was taken over, as often as its share is. Addresses that nobody has are
     * compared with one of these or with one of today's, so that a slow answer doesn't tell an imported account.
     */
    readonly decoys?: readonly string[]
    /** Hashes at once. Default 2, which is also the most: they share the thread pool with everything else. */
    readonly concurrency?: number
    /** Hashes that wait; beyond it 503. Default 500. */
    readonly maxWaiting?: number
    /** False: nobody sets the password of somebody else; an administrator starts a reset instead. Default true, as in the original. */
    readonly setByOthers?: boolean
  }
  readonly registration?: {
    /**
     * `open` (default): anybody, and an address that is taken is told. `phone`: only with a number that was verified a
     * moment ago. `quiet`: the answer never tells anything, the rest goes by mail (needs `urlTemplate` and `senders.mail`).
     */
    readonly mode?: 'open' | 'phone' | 'quiet'
    /** Where the link of the mails of the quiet mode leads; `{token}` stands for the token. */
    readonly urlTemplate?: string
    /** Members that are not known are answered with 400 instead of being dropped. Default false. */
    readonly strict?: boolean
  }
  readonly reset?: {
    /**
     * Origins that `url_template` may lead to, such as `https://app.example.com`. Default none: every template is refused.
     * Plain http only on this machine (`http://localhost:3000`), for development.
     */
    readonly origins?: readonly string[]
    /** At most, and by default, 3600. */
    readonly lifetimeSeconds?: number
    readonly from?: string
    readonly subject?: string
  }
  readonly verification?: {
    /** Somebody else who makes, sends and checks the codes. Default: the service, through `senders.sms`. */
    readonly method?: PhoneVerification
    /** 6 to 8, or 4 for clients that can't take more. Default 6. */
    readonly codeDigits?: number
    readonly generate?: CodeGenerator
    /** At most, and by default, 600. */
    readonly lifetimeSeconds?: number
    /** At most 10, by default 5. */
    readonly attempts?: number
    /** Between two codes to one number. Default 60. */
    readonly resendSeconds?: number
    /** How long "verified" lasts. Default 600. */
    readonly verifiedSeconds?: number
    /** A phone of a user must have been verified a moment ago when it is set. Default false. */
    readonly required?: boolean
    readonly from?: string
    /** `{token}` stands for the code. */
    readonly message?: string
    /**
     * Says whether a number may be used at this moment: false for one whose SIM was changed a moment ago, as a provider's
     * look-up tells. It gets no message, and a code that it has already counts for nothing. When it throws, 503.
     */
    readonly allowNumber?: (phone: string) => boolean | Promise<boolean>
    /** Countries that codes are sent to: `['1', '44']`. Default all. */
    readonly allowedCallingCodes?: readonly string[]
    /** Numbers that get `testCode` and no message. Default none. */
    readonly testNumbers?: readonly string[]
    readonly testCode?: string
    /** Test numbers are refused with NODE_ENV=production unless this says otherwise. */
    readonly allowTestNumbersInProduction?: boolean
  }
  readonly secondFactor?: SecondFactor
  readonly limits?: { readonly [Name in LimitName]?: Limit }
  /** How many proxies of one's own stand in front; the client's address is taken from `X-Forwarded-For` accordingly. Default 0. */
  readonly proxyDepth?: number
  /** Serves `/openapi.json` and `/openapi.yaml`. Default false. */
  readonly openapi?: boolean
  /** Default 65536. */
  readonly maxBodyBytes?: number
  /** Sets the keys in the state store apart from those of other services. Default `users`. */
  readonly namespace?: string
  /** Forms of the original that some client may want back. None of them opens a hole again. */
  readonly wire?: {
    /** 308 for a path without its last slash. */
    readonly redirectMissingSlash?: boolean
    /** The texts of the original's libraries behind `--`. */
    readonly libraryTexts?: boolean
    /** 400 `NoSuchUser` for a reset of an unknown address: tells strangers who has an account. */
    readonly tellUnknownAddress?: boolean
  }
  /** Hears of everything that an audit trail wants to know. */
  readonly onEvent?: (event: UserEvent) => void
  readonly runtime?: Partial<Runtime>
  readonly logger?: Logger
}

export type LimitName = keyof typeof defaultLimits

const limit = (max: number, windowSeconds: number): z.ZodDefault<z.ZodObject> & z.ZodType<Limit> =>
  z.strictObject({ max: z.int().min(1), windowSeconds: z.int().min(1).max(2_592_000) }).default({ max, windowSeconds })

const defaultLimits = {
  login: limit(10, 900),
  loginPerClient: limit(100, 900),
  loginGlobal: limit(20_000, 900),
  registrationPerClient: limit(20, 3600),
  contactPerUser: limit(20, 3600),
  reset: limit(3, 3600),
  resetPerClient: limit(20, 3600),
  confirmPerClient: limit(60, 3600),
  phone: limit(5, 3600),
  phonePerClient: limit(20, 3600),
  phonePerCountry: limit(1000, 3600),
  phoneGlobal: limit(5000, 86_400),
  phoneConfirmPerClient: limit(100, 3600),
  phoneConfirm: limit(20, 3600),
}

const seconds = z.int().min(1).max(31_536_000)
const text = z.string().min(1).max(500)
const mailSender = objectWith<MailSender>(['send'], 'give an object with the method send')

export const optionsSchema = z.strictObject({
  store: objectWith<UserStore>(
    ['findById', 'findByEmail', 'insert', 'update'],
    'give a UserStore, such as new SqlUserStore(...)',
  ),
  state: objectWith<StateStore>(
    ['get', 'put', 'update', 'increment'],
    'give a StateStore, such as new SqlStateStore(...)',
  ),
  keys: keysOption,
  senders: z
    .strictObject({
      sms: objectWith<SmsSender>(['send'], 'give an object with the method send').optional(),
      mail: mailSender.optional(),
      notices: mailSender.optional(),
    })
    .default({}),
  tokens: z
    .strictObject({
      accessSeconds: seconds.max(900).default(900),
      refreshSeconds: seconds.max(2_592_000).default(2_592_000),
      idleSeconds: seconds.optional(),
      graceSeconds: z.int().min(0).max(60).default(30),
      rotate: z.boolean().default(true),
      audience: text.optional(),
      issuer: text.optional(),
      claims: functionOption<(user: UserRecord, login: LoginFacts) => JsonObject>().optional(),
      freshSeconds: z.int().min(0).max(3600).default(300),
    })
    .prefault({}),
  passwords: z
    .strictObject({
      minLength: z.int().min(8).max(128).default(15),
      blocklist: z.array(z.string()).default([]),
      isBreached: functionOption<(password: string) => boolean | Promise<boolean>>().optional(),
      argon2: z
        .strictObject({
          memoryKiB: z.int().min(19_456).default(19_456),
          passes: z.int().min(2).default(2),
          lanes: z.int().min(1).max(16).default(1),
        })
        .prefault({}),
      hasher: objectWith<PasswordHasher>(['hash', 'verify', 'needsRehash'], 'give a PasswordHasher').optional(),
      decoys: z.array(z.string().min(1)).max(100).default([]),
      concurrency: z.int().min(1).max(2).default(2),
      maxWaiting: z.int().min(0).max(100_000).default(500),
      setByOthers: z.boolean().default(true),
    })
    .prefault({}),
  registration: z
    .strictObject({
      mode: z.enum(['open', 'phone', 'quiet']).default('open'),
      urlTemplate: z.string().optional(),
      strict: z.boolean().default(false),
    })
    .prefault({}),
  reset: z
    .strictObject({
      origins: z
        .array(
          z
            .url({ error: 'give origins' })
            .refine((url) => mayCarryToken(new URL(url)), { error: 'give https origins' }),
        )
        .default([]),
      lifetimeSeconds: seconds.max(3600).default(3600),
      from: text
        .refine((from) => parseMailbox(from) !== undefined, {
          error: 'give one address, such as Bank <noreply@example.com>',
        })
        .default('noreply@example.com'),
      subject: text.default('Password reset required'),
    })
    .prefault({}),
  verification: z
    .strictObject({
      method: objectWith<PhoneVerification>(['start', 'check', 'drop'], 'give a PhoneVerification').optional(),
      codeDigits: z.union([z.literal(4), z.int().min(6).max(8)], { error: 'give 6, 7 or 8 (or 4)' }).default(6),
      generate: functionOption<CodeGenerator>().optional(),
      lifetimeSeconds: seconds.max(600).default(600),
      attempts: z.int().min(1).max(10).default(5),
      resendSeconds: z.int().min(0).max(3600).default(60),
      verifiedSeconds: seconds.max(3600).default(600),
      required: z.boolean().default(false),
      from: text.default('AFFO'),
      message: text
        .refine((value) => value.includes('{token}'), { error: 'put {token} where the code goes' })
        .default('Your security code is: {token}'),
      allowNumber: functionOption<(phone: string) => boolean | Promise<boolean>>().optional(),
      allowedCallingCodes: z.array(z.string().regex(/^\d{1,3}$/)).optional(),
      testNumbers: z.array(z.string()).default([]),
      testCode: z
        .string()
        .regex(/^\d{4,8}$/)
        .optional(),
      allowTestNumbersInProduction: z.boolean().default(false),
    })
    .prefault({}),
  secondFactor: objectWith<SecondFactor>(
    ['challenge', 'verify'],
    'give an object with challenge and verify',
  ).optional(),
  limits: z.strictObject(defaultLimits).prefault({}),
  proxyDepth: z.int().min(0).max(10).default(0),
  openapi: z.boolean().default(false),
  maxBodyBytes: z.int().min(1024).max(1_048_576).default(65_536),
  namespace: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .default('users'),
  wire: z
    .strictObject({
      redirectMissingSlash: z.boolean().default(false),
      libraryTexts: z.boolean().default(false),
      tellUnknownAddress: z.boolean().default(false),
    })
    .prefault({}),
  onEvent: functionOption<(event: UserEvent) => void>().optional(),
  runtime: runtimeOption,
  logger: loggerOption,
})

export type ParsedOptions = z.output<typeof optionsSchema>

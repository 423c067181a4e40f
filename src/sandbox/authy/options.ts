import { z } from 'zod'
import { isSandboxApiKey, sandboxApiKeyPrefix } from '../../providers/authy/wire-sandbox.js'

/** Where signed callbacks go, as one would enter it in the provider's console. */
export interface AuthyCallbackTarget {
  /** `http:` or `https:`, without a query and a fragment. */
  readonly url: string
  /** `POST` unless told otherwise. */
  readonly method?: 'POST' | 'GET' | undefined
  /** `integer`, the default, as since 2017; `text` for validators that want what was sent in 2016. */
  readonly deviceUuid?: 'integer' | 'text' | undefined
}

export interface AuthyRateLimit {
  /** For each endpoint; 60 by default. */
  readonly requestsPerMinute?: number | undefined
  /** Codes that are sent to one user or number; 5 by default. */
  readonly tokensPerTenMinutes?: number | undefined
}

export interface AuthySandboxOptions {
  /** Must begin with `sandbox`. Left out: a random one. */
  readonly apiKey?: string | undefined
  /** `Sandbox` by default. */
  readonly appName?: string | undefined
  /** 3 by default. */
  readonly appId?: number | undefined
  /** Ids count up from here; 1635 by default. */
  readonly firstAuthyId?: number | undefined
  readonly callback?: AuthyCallbackTarget | undefined
  /** Token `0000000` and phone code `0000` are always good. True by default, as in the service's own old sandbox. */
  readonly magicValues?: boolean | undefined
  /** The answers of 2016: `success` of verify a boolean, no `device`, other texts. False by default. */
  readonly oldAnswers?: boolean | undefined
  /** Every new user has the app at once. False by default: a user gets it on the phone, or over `POST /api/devices`. */
  readonly enrolAtOnce?: boolean | undefined
  /** `false`: no limits. */
  readonly rateLimit?: AuthyRateLimit | false | undefined
}

export const callbackTarget = z.strictObject({
  url: z.string().refine(isCallbackUrl, 'give an absolute http: or https: URL without query and fragment'),
  method: z.enum(['POST', 'GET']).optional(),
  deviceUuid: z.enum(['integer', 'text']).optional(),
})

export const authySandboxOptions = z.strictObject({
  apiKey: z
    .string()
    .regex(/^[A-Za-z0-9]{8,64}$/, 'give 8 to 64 letters and digits')
    .refine(isSandboxApiKey, `begin it with '${sandboxApiKeyPrefix}'`)
    .optional(),
  appName: z.string().min(1).max(30).optional(),
  appId: z.int().positive().optional(),
  firstAuthyId: z.int().positive().optional(),
  callback: callbackTarget.optional(),
  magicValues: z.boolean().optional(),
  oldAnswers: z.boolean().optional(),
  enrolAtOnce: z.boolean().optional(),
  rateLimit: z
    .union([
      z.literal(false),
      z.strictObject({
        requestsPerMinute: z.int().positive().optional(),
        tokensPerTenMinutes: z.int().positive().optional(),
      }),
    ])
    .optional(),
})

function isCallbackUrl(value: string): boolean {
  // How a query would be signed is not known; the service says to configure a URL without one.
  return /^https?:\/\/[^/?#]/i.test(value) && !/[?#\s]/.test(value) && URL.canParse(value)
}

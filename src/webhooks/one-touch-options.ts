import { z } from 'zod'
import type { Settlement, SettleResult } from '../approval/approvals-types.js'
import type { StateStore } from '../approval/state-store.js'
import { functionOption, loggerOption, objectWith, parseOptions, runtimeOption } from '../options.js'
import { signedUrl } from '../providers/authy/signing-url.js'
import { type Logger, resolveRuntime, type Runtime, silentLogger } from '../runtime.js'
import type { OneTouchEvent } from './one-touch-event.js'
import { defaultToleranceSeconds } from './one-touch-nonce.js'

/** Who takes decisions: what `createApprovals` returns, or the part of it that a webhook needs. */
export interface ApprovalSettler {
  settle(settlement: Settlement): Promise<SettleResult>
}

/** What the approvals made of an event: the decision was new, or was known or too late. */
export interface OneTouchOutcome {
  /** `undefined` without `approvals`. */
  readonly settlement: 'settled' | 'unchanged' | undefined
}

/** Options of {@link oneTouchCallback}. */
export interface OneTouchCallbackOptions {
  /** The API key of the application; several while keys are being changed (the old and the new one). */
  readonly apiKey: string | readonly string[]
  /**
   * The whole public URL of the callback, exactly as configured at the service: scheme, host, port if it has one, path.
   * The request's own idea of it (`Host`, `X-Forwarded-*`) is not used. Best without a query.
   */
  readonly callbackUrl: string
  /** Where deliveries are remembered. Processes behind one URL share it. */
  readonly state: StateStore
  /** Settles the decisions. Without it, check in `onEvent` that `uuid` is a request that you made for `authyId`. */
  readonly approvals?: ApprovalSettler | undefined
  /** The name of the OneTouch channel in `approvals`. Default `authy`. */
  readonly channel?: string | undefined
  /** The application id at the service (24 hexadecimal digits). If given, callbacks of other applications are refused. */
  readonly appId?: string | undefined
  /** How far the nonce, where it is a time, may be from our clock, either way. Default 300; `false` switches it off. */
  readonly toleranceSeconds?: number | false | undefined
  /** How long a request may take, from its headers to our answer. Milliseconds, default 10,000. */
  readonly timeLimitMs?: number | undefined
  /**
   * Called for every verified event before it is answered, at least once: when it fails, or the process dies, the sender
   * repeats and it is called again. Be idempotent by `event.id`.
   */
  readonly onEvent?: ((event: OneTouchEvent, outcome: OneTouchOutcome) => unknown) | undefined
  readonly logger?: Logger | undefined
  readonly runtime?: Partial<Runtime> | undefined
}

const apiKey = z.string({ error: 'give the API key as text' }).min(1, 'the API key is empty')

const schema = z.strictObject({
  apiKey: z.union([apiKey, z.array(apiKey).min(1).max(8)], {
    error: 'give the API key as text, or an array of 1 to 8 keys, none empty',
  }),
  callbackUrl: z.string().refine(isSignable, {
    error: 'give the whole public http or https URL as configured at the service, without user name',
  }),
  state: objectWith<StateStore>(['get', 'putIfAbsent'], 'give a state store, such as new MemoryStateStore()'),
  approvals: objectWith<ApprovalSettler>(['settle'], 'give what createApprovals returns').optional(),
  channel: z.string().min(1).default('authy'),
  appId: z
    .string()
    .regex(/^[0-9A-Fa-f]{24}$/, 'give the 24 hexadecimal digits of the application id')
    .optional(),
  toleranceSeconds: z
    .union([z.literal(false), z.number().int().min(0).max(86_400)], { error: 'give 0 to 86400 seconds, or false' })
    .default(defaultToleranceSeconds),
  timeLimitMs: z.number().int().min(10).max(600_000).default(10_000),
  onEvent: functionOption<NonNullable<OneTouchCallbackOptions['onEvent']>>().optional(),
  logger: loggerOption.transform((logger) => logger ?? silentLogger),
  runtime: runtimeOption.transform(resolveRuntime),
})

/** The options with all defaults. */
export type OneTouchSettings = Omit<z.output<typeof schema>, 'apiKey'> & { readonly apiKeys: readonly string[] }

/** @throws InvalidOptionError */
export function oneTouchSettings(options: OneTouchCallbackOptions): OneTouchSettings {
  const { apiKey: given, ...rest } = parseOptions(schema, options, 'oneTouchCallback')
  const settings = { ...rest, apiKeys: typeof given === 'string' ? [given] : given }
  if (/[?#]/.test(settings.callbackUrl)) {
    settings.logger.warn(
      { channel: settings.channel },
      'the callback URL has a query; the service signs without it as far as is known: configure one without a query',
    )
  }
  return settings
}

function isSignable(url: string): boolean {
  try {
    return signedUrl(url) !== ''
  } catch {
    return false
  }
}

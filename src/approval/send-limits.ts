import { z } from 'zod'
import { SendLimitedError } from '../errors.js'
import { objectWith, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, type Runtime } from '../runtime.js'
import { networkOf } from './network.js'
import { keyOf } from './random-id.js'
import type { StateStore } from './state-store.js'

/** A text message, call or mail that is about to be sent. */
export interface Send {
  /** Who gets it, such as the id of a person at the provider, or the number itself. */
  readonly recipient: string
  /** The number that it goes to, in E.164, if it is known: counts for its prefix and country. */
  readonly phone?: { readonly e164: string; readonly countryCode: number } | undefined
  /** The IP address of whoever asked for it, if it is known. IPv6 counts by its /64 network. */
  readonly address?: string | undefined
}

/** So many within a window. */
export interface SendLimit {
  readonly max: number
  readonly windowSeconds: number
}

/** What {@link createSendLimits} takes. Each list holds up to 4 limits, all of which apply; an empty list is no limit. */
export interface SendLimitsOptions {
  readonly state: StateStore
  /** To one person or number. Default 5 in ten minutes and 20 a day. */
  readonly perRecipient?: readonly SendLimit[] | undefined
  /** To numbers that differ in their last four digits only: how ranges of premium numbers are pumped. Default 50 an hour. */
  readonly perPrefix?: readonly SendLimit[] | undefined
  /** To numbers of one calling code. Default 500 an hour. */
  readonly perCountry?: readonly SendLimit[] | undefined
  /** For one IP address. Default 20 an hour and 60 a day. */
  readonly perAddress?: readonly SendLimit[] | undefined
  /** In all. Default 1000 an hour and 10,000 a day. */
  readonly total?: readonly SendLimit[] | undefined
  readonly runtime?: Partial<Runtime> | undefined
}

/** Limits on messages that cost money and patience. */
export interface SendLimits {
  /**
   * Counts a message that is about to be sent. Rejects when the store can't answer: then it may not be sent.
   *
   * @throws {@link SendLimitedError} if it is one too many.
   */
  admit(send: Send): Promise<void>
}

const HOUR = 3600
const DAY = 86_400
const limits = (...standard: readonly SendLimit[]) =>
  z
    .array(
      z.strictObject({
        max: z.int().min(0).max(1_000_000_000),
        windowSeconds: z
          .int()
          .min(1)
          .max(30 * DAY),
      }),
    )
    .max(4)
    .default([...standard])

const optionsSchema = z.strictObject({
  state: objectWith<StateStore>(['increment'], 'give a state store'),
  perRecipient: limits({ max: 5, windowSeconds: 600 }, { max: 20, windowSeconds: DAY }),
  perPrefix: limits({ max: 50, windowSeconds: HOUR }),
  perCountry: limits({ max: 500, windowSeconds: HOUR }),
  perAddress: limits({ max: 20, windowSeconds: HOUR }, { max: 60, windowSeconds: DAY }),
  total: limits({ max: 1000, windowSeconds: HOUR }, { max: 10_000, windowSeconds: DAY }),
  runtime: runtimeOption,
})

const SUBSCRIBER_DIGITS = 4

type Scope = SendLimitedError['scope']

/**
 * Makes limits on sending codes by text message, call or mail, counted in the state store over all processes: against
 * pumping (somebody else's bill) and flooding (somebody else's phone). They act before the provider is asked.
 *
 * @throws {@link InvalidOptionError}
 *
 * @example
 * const authy = new AuthyClient({ apiKey, sendLimits: createSendLimits({ state }) })
 */
export function createSendLimits(options: SendLimitsOptions): SendLimits {
  const { state, runtime, ...settings } = parseOptions(optionsSchema, options, 'createSendLimits')
  const { now } = resolveRuntime(runtime)

  const count = async (scope: Scope, whom: string, list: readonly SendLimit[]): Promise<void> => {
    for (const { max, windowSeconds } of list) {
      const key = `sends:${scope}:${windowSeconds}:${keyOf(whom)}`
      const counter = await state.increment(key, { windowMs: windowSeconds * 1000 })
      if (counter.count > max) {
        throw new SendLimitedError(scope, Math.max(1, Math.ceil((counter.resetsAt - now()) / 1000)))
      }
    }
  }

  return {
    async admit({ recipient, phone, address }) {
      // Narrow before wide: who is over a limit of their own uses up nothing of what belongs to others.
      if (address !== undefined) await count('address', networkOf(address), settings.perAddress)
      await count('recipient', recipient, settings.perRecipient)
      if (phone !== undefined) {
        await count('prefix', phone.e164.slice(0, -SUBSCRIBER_DIGITS), settings.perPrefix)
        await count('country', String(phone.countryCode), settings.perCountry)
      }
      await count('total', '', settings.total)
    },
  }
}

import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { StateStore } from '../approval/state-store.js'
import { InvalidOptionError } from '../errors.js'
import { functionOption, loggerOption, objectWith, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../runtime.js'
import type { SmsMessage, SmsOutcome, SmsSender } from './senders.js'

/** One try of one gateway, for the record. The number is digested and the text is not there. */
export interface SmsAttempt {
  readonly gateway: string
  readonly outcome: SmsOutcome['status']
  readonly at: Date
  /** SHA-256 of the number, base64url. */
  readonly phoneDigest: string
}

export interface RoundRobinOptions {
  /** In this order; each needs a name of its own. */
  readonly gateways: readonly SmsSender[]
  /** Remembers which gateway a number was sent to last, and which gateways rest. */
  readonly state: StateStore
  /** Failures in a row after which a gateway rests. Default 3. */
  readonly failuresBeforeRest?: number
  /** How long it rests before one message is let through to probe it. Default 30. */
  readonly restSeconds?: number
  readonly onAttempt?: (attempt: SmsAttempt) => void
  /** Sets the keys in the state store apart. Default `sms`. */
  readonly namespace?: string
  readonly runtime?: Partial<Runtime>
  readonly logger?: Logger
}

const optionsSchema = z.strictObject({
  gateways: z.array(objectWith<SmsSender>(['send'], 'give an object with the method send')).min(1),
  state: objectWith<StateStore>(['get', 'put', 'increment'], 'give a StateStore'),
  failuresBeforeRest: z.int().min(1).max(1000).default(3),
  restSeconds: z.int().min(1).max(86_400).default(30),
  onAttempt: functionOption<(attempt: SmsAttempt) => void>().optional(),
  namespace: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .default('sms'),
  runtime: runtimeOption,
  logger: loggerOption,
})

const lastSchema = z.object({
  gateway: z.string(),
  attempts: z.array(z.object({ gateway: z.string(), outcome: z.string(), at: z.number() })),
})
const REMEMBER_MS = 30 * 86_400_000
const KEPT_ATTEMPTS = 10

/**
 * Sends through several gateways in turn. A number keeps its gateway; a resend (`retry`) takes the next one in the ring.
 * A gateway that fails hands the message on to the next, each at most once; a number that a gateway calls invalid is
 * invalid for all. One that fails again and again rests, and is probed with one message when the rest is over. A rest
 * skips a gateway; it never changes the order.
 */
export function roundRobin(options: RoundRobinOptions): SmsSender {
  const settings = parseOptions(optionsSchema, options, 'roundRobin')
  const names = settings.gateways.map(({ name }) => name)
  if (new Set(names).size !== names.length)
    throw new InvalidOptionError('gateways', 'give each gateway a name of its own')
  const ring = new Ring(settings)
  return { name: 'round-robin', send: (message) => ring.send(message) }
}

class Ring {
  readonly #settings: z.output<typeof optionsSchema>
  readonly #now: () => number
  readonly #logger: Logger

  constructor(settings: z.output<typeof optionsSchema>) {
    this.#settings = settings
    this.#now = resolveRuntime(settings.runtime).now
    this.#logger = settings.logger ?? silentLogger
  }

  async send(message: SmsMessage): Promise<SmsOutcome> {
    const phoneDigest = createHash('sha256').update(message.to).digest('base64url')
    const order = await this.#order(phoneDigest, message.retry)
    const awake: SmsSender[] = []
    const resting: SmsSender[] = []
    for (const gateway of order) ((await this.#mayTry(gateway.name)) ? awake : resting).push(gateway)
    // If all rest, a message that may fail is better than one that certainly does.
    for (const gateway of awake.length > 0 ? awake : resting) {
      const outcome = await this.#try(gateway, message, phoneDigest)
      if (outcome.status !== 'failed') return outcome
    }
    return { status: 'failed', reason: 'no gateway took the message' }
  }

  async #order(phoneDigest: string, retry: boolean): Promise<readonly SmsSender[]> {
    const { gateways } = this.#settings
    const last = await this.#last(phoneDigest)
    const index = gateways.findIndex(({ name }) => name === last?.gateway)
    // A gateway that is no longer there, or a number without a history: the first one, resend or not.
    const first = index < 0 ? 0 : (index + (retry ? 1 : 0)) % gateways.length
    return [...gateways.slice(first), ...gateways.slice(0, first)]
  }

  async #try(gateway: SmsSender, message: SmsMessage, phoneDigest: string): Promise<SmsOutcome> {
    const outcome = await this.#outcomeOf(gateway, message)
    const attempt = { gateway: gateway.name, outcome: outcome.status, at: this.#now() }
    const earlier = (await this.#last(phoneDigest))?.attempts ?? []
    const attempts = [...earlier, attempt].slice(-KEPT_ATTEMPTS)
    await this.#settings.state.put(
      this.#key('last', phoneDigest),
      { gateway: gateway.name, attempts },
      { ttlMs: REMEMBER_MS },
    )
    this.#settings.onAttempt?.({ ...attempt, at: new Date(attempt.at), phoneDigest })
    await (outcome.status === 'failed' ? this.#noteFailure(gateway.name) : this.#noteSuccess(gateway.name))
    if (outcome.status === 'failed')
      this.#logger.warn({ gateway: gateway.name, reason: outcome.reason }, 'an SMS gateway failed')
    return { ...outcome, gateway: gateway.name }
  }

  async #outcomeOf(gateway: SmsSender, message: SmsMessage): Promise<SmsOutcome> {
    try {
      return await gateway.send(message)
    } catch (error) {
      return { status: 'failed', reason: error instanceof Error ? error.name : 'unknown' }
    }
  }

  // After the rest one message, and no other until it is clear what became of it, finds out.
  async #mayTry(name: string): Promise<boolean> {
    const { state, restSeconds } = this.#settings
    const rest = await state.get(this.#key('rest', name))
    if (rest === undefined) return true
    const until = typeof rest.value === 'number' ? rest.value : Infinity
    if (this.#now() < until) return false
    return state.putIfAbsent(this.#key('probe', name), true, { ttlMs: restSeconds * 1000 })
  }

  async #noteFailure(name: string): Promise<void> {
    const { state, failuresBeforeRest, restSeconds } = this.#settings
    const restMs = restSeconds * 1000
    const { count } = await state.increment(this.#key('failures', name), { windowMs: 10 * restMs })
    const wasProbe = (await state.get(this.#key('rest', name))) !== undefined
    if (count < failuresBeforeRest && !wasProbe) return
    await state.put(this.#key('rest', name), Math.floor(this.#now() + restMs), { ttlMs: 20 * restMs })
    await state.delete(this.#key('probe', name))
  }

  async #noteSuccess(name: string): Promise<void> {
    const { state } = this.#settings
    if ((await state.increment(this.#key('failures', name), { windowMs: 1000, by: 0 })).count > 0) {
      await state.delete(this.#key('failures', name))
    }
    if ((await state.get(this.#key('rest', name))) === undefined) return
    await state.delete(this.#key('rest', name))
    await state.delete(this.#key('probe', name))
  }

  async #last(phoneDigest: string): Promise<z.output<typeof lastSchema> | undefined> {
    const last = lastSchema.safeParse((await this.#settings.state.get(this.#key('last', phoneDigest)))?.value)
    return last.success ? last.data : undefined
  }

  #key(kind: string, subject: string): string {
    return `${this.#settings.namespace}:${kind}:${subject}`
  }
}

import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { StateStore } from '../approval/state-store.js'
import { InvalidOptionError } from '../errors.js'
import { loggerOption, objectWith, runtimeOption } from '../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../runtime.js'

/** What round robins of texts and of mails have in common. */
export interface RingOptions {
  /** Remembers which gateway was taken last for whom, and which gateways rest. */
  readonly state: StateStore
  /** Failures in a row after which a gateway rests. Default 3. */
  readonly failuresBeforeRest?: number
  /** How long it rests before one message is let through to probe it. Default 30. */
  readonly restSeconds?: number
  readonly runtime?: Partial<Runtime>
  readonly logger?: Logger
}

export const ringOptions = {
  state: objectWith<StateStore>(['get', 'put', 'increment'], 'give a StateStore'),
  failuresBeforeRest: z.int().min(1).max(1000).default(3),
  restSeconds: z.int().min(1).max(86_400).default(30),
  runtime: runtimeOption,
  logger: loggerOption,
}

/** Sets the keys of several rings in one store apart. */
export function namespaceOption(otherwise: string) {
  return z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .default(otherwise)
}

const attemptSchema = z.object({ gateway: z.string(), outcome: z.string(), at: z.number() })
const lastSchema = z.object({ gateway: z.string(), attempts: z.array(attemptSchema) })
type Last = z.output<typeof lastSchema>

/** One try of one gateway, as it is recorded. */
export type RingAttempt = Readonly<z.output<typeof attemptSchema>>

/** What became of one try: it ends there, the next gateway is to try it, or this gateway has failed (and the next tries it). */
export interface Tried<Outcome> {
  readonly verdict: 'done' | 'next' | 'failed'
  readonly outcome: Outcome
  /** A word for the record. */
  readonly word: string
  /** For the log; holds no secret. */
  readonly reason?: string
}

export interface RingMember<Message, Outcome> {
  readonly name: string
  /** Never rejects. */
  attempt(message: Message): Promise<Tried<Outcome>>
}

export interface RingSettings<Message, Outcome> {
  readonly members: readonly RingMember<Message, Outcome>[]
  readonly state: StateStore
  readonly failuresBeforeRest: number
  readonly restSeconds: number
  readonly namespace: string
  readonly runtime: Partial<Runtime> | undefined
  readonly logger: Logger | undefined
  readonly onAttempt: (attempt: RingAttempt, subjectDigest: string, message: Message) => void
}

export interface RingRequest<Message> {
  readonly message: Message
  /** Whom it goes to: who keeps their gateway. */
  readonly subject: string
  /** Whether this is a resend, which takes the gateway after the last one. */
  readonly isResend: (last: RingAttempt | undefined) => boolean
}

const REMEMBER_MS = 30 * 86_400_000
const KEPT_ATTEMPTS = 10

/**
 * Several gateways in turn: a subject keeps its gateway, a resend takes the next one in the ring, a failing gateway hands
 * on to the next, rests after some failures in a row, and is probed with one message when the rest is over.
 */
export class GatewayRing<Message, Outcome> {
  readonly #settings: RingSettings<Message, Outcome>
  readonly #now: () => number
  readonly #logger: Logger

  constructor(settings: RingSettings<Message, Outcome>) {
    const names = settings.members.map(({ name }) => name)
    if (new Set(names).size !== names.length)
      throw new InvalidOptionError('gateways', 'give each gateway a name of its own')
    this.#settings = settings
    this.#now = resolveRuntime(settings.runtime).now
    this.#logger = settings.logger ?? silentLogger
  }

  /** Resolves with what the gateway said that took it, or with what all said that did not; the last one last. */
  async send({ message, subject, isResend }: RingRequest<Message>): Promise<readonly Tried<Outcome>[]> {
    const digest = createHash('sha256').update(subject).digest('base64url')
    const tried: Tried<Outcome>[] = []
    const skipped: RingMember<Message, Outcome>[] = []
    // The rest is looked up when it is a gateway's turn, so that no probe is given to one that nobody gets to.
    for (const member of await this.#order(digest, isResend)) {
      if (!(await this.#mayTry(member.name))) {
        skipped.push(member)
        continue
      }
      tried.push(await this.#try(member, message, digest))
      if (tried.at(-1)?.verdict === 'done') return tried
    }
    // A message that may fail is better than one that certainly does.
    for (const member of skipped) {
      tried.push(await this.#try(member, message, digest))
      if (tried.at(-1)?.verdict === 'done') return tried
    }
    return tried
  }

  async #order(
    digest: string,
    isResend: RingRequest<Message>['isResend'],
  ): Promise<readonly RingMember<Message, Outcome>[]> {
    const { members } = this.#settings
    const last = await this.#last(digest)
    const index = members.findIndex(({ name }) => name === last?.gateway)
    // A gateway that is no longer there, or nobody's history: the first one, resend or not.
    const first = index < 0 ? 0 : (index + (isResend(last?.attempts.at(-1)) ? 1 : 0)) % members.length
    return [...members.slice(first), ...members.slice(0, first)]
  }

  async #try(member: RingMember<Message, Outcome>, message: Message, digest: string): Promise<Tried<Outcome>> {
    const tried = await member.attempt(message)
    const attempt = { gateway: member.name, outcome: tried.word, at: this.#now() }
    await this.#record(attempt, message, digest)
    if (tried.verdict !== 'done') {
      this.#logger.warn(
        { gateway: member.name, reason: tried.reason ?? tried.word },
        'a gateway did not take a message',
      )
    }
    await (tried.verdict === 'failed' ? this.#noteFailure(member.name) : this.#noteSuccess(member.name))
    return tried
  }

  async #record(attempt: RingAttempt, message: Message, digest: string): Promise<void> {
    const earlier = (await this.#last(digest))?.attempts ?? []
    const attempts = [...earlier, attempt].slice(-KEPT_ATTEMPTS)
    const key = this.#key('last', digest)
    await this.#settings.state.put(key, { gateway: attempt.gateway, attempts }, { ttlMs: REMEMBER_MS })
    try {
      this.#settings.onAttempt(attempt, digest, message)
    } catch (err) {
      this.#logger.error({ err }, 'onAttempt failed')
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

  async #last(digest: string): Promise<Last | undefined> {
    const last = lastSchema.safeParse((await this.#settings.state.get(this.#key('last', digest)))?.value)
    return last.success ? last.data : undefined
  }

  #key(kind: string, subject: string): string {
    return `${this.#settings.namespace}:${kind}:${subject}`
  }
}

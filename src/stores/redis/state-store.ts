import { z } from 'zod'
import type { JsonValue } from '../../approval/json.js'
import type { Counter, Lifetime, StateRecord, StateStore } from '../../approval/state-store.js'
import { ConfigurationError, StoreFullError } from '../../errors.js'
import { loggerOption, objectWith, parseOptions, runtimeOption } from '../../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../../runtime.js'
import {
  checkDuration,
  checkIncrement,
  checkLimit,
  checkName,
  checkTime,
  decodeValue,
  encodeValue,
  storedName,
} from '../check.js'
import { answerOf } from '../unavailable.js'
import { versionSource } from '../versions.js'
import { WakeUps } from '../wake-ups.js'
import type { RedisClient } from './client.js'
import * as scripts from './scripts.js'
import { RedisWakeUps } from './wake-ups.js'

/** What {@link RedisStateStore} takes. */
export interface RedisStateStoreOptions {
  /** A connected client of the npm package `redis`, or what `fromIoredis` makes. */
  readonly client: RedisClient
  /** What all keys and the channel for wake-ups begin with. Default `oob:`. */
  readonly prefix?: string | undefined
  /** How long an answer of Redis may take, in milliseconds. Default 2000. */
  readonly timeoutMs?: number | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

const optionsSchema = z.strictObject({
  client: objectWith<RedisClient>(
    ['eval', 'publish', 'duplicate', 'on'],
    'give a client of the npm package redis, or one from fromIoredis(client)',
  ),
  prefix: z
    .string()
    .regex(/^[\w.:-]{1,64}$/, { error: 'give 1 to 64 letters, digits and _ . : -' })
    .default('oob:'),
  timeoutMs: z.int().min(1).max(60_000).default(2_000),
  runtime: runtimeOption,
  logger: loggerOption,
})

// Clients that have our listener for broken connections: one is enough for all stores on a client.
const guarded = new WeakSet<RedisClient>()
// Redis drops a record this much later than its end, which is judged by the clock of the process: two clocks may differ.
const SLACK_MS = 60_000

/**
 * A state store in Redis 5 or newer, alone or as a cluster. Every step is one Lua script on one key. What survives a crash
 * is Redis' business: with `appendonly yes` and `appendfsync always` every acknowledged write does, with `everysec` all
 * but those of the last second, without persistence nothing. The eviction policy has to be `noeviction`.
 *
 * The first call writes, reads and deletes a record, so that a client which saves nothing is noticed.
 *
 * @throws {@link InvalidOptionError} from the constructor; {@link StoreUnavailableError} from every method when Redis can't
 *   be reached or takes longer than `timeoutMs`; {@link StoreFullError} when it is out of memory;
 *   {@link ConfigurationError} when the client doesn't do what it should.
 */
export class RedisStateStore implements StateStore {
  readonly #client: RedisClient
  readonly #prefix: string
  readonly #timeoutMs: number
  readonly #now: () => number
  readonly #nextVersion: () => string
  readonly #wakeUps: WakeUps
  readonly #remote: RedisWakeUps
  #tested: Promise<void> | undefined

  constructor(options: RedisStateStoreOptions) {
    const { client, prefix, timeoutMs, ...rest } = parseOptions(optionsSchema, options, 'RedisStateStore')
    const runtime = resolveRuntime(rest.runtime)
    const logger = rest.logger ?? silentLogger
    this.#client = client
    this.#prefix = prefix
    this.#timeoutMs = timeoutMs
    this.#now = () => Math.floor(runtime.now())
    this.#nextVersion = versionSource(runtime.randomBytes)
    this.#wakeUps = new WakeUps(logger)
    const own = this.#nextVersion()
    this.#remote = new RedisWakeUps({ client, channel: `${prefix}wake-ups`, own, local: this.#wakeUps, logger })
    if (guarded.has(client)) return
    guarded.add(client)
    // Without a listener, the client ends the process when its connection breaks.
    client.on('error', (error) => logger.warn({ err: error }, 'the connection to Redis broke'))
  }

  async get(key: string): Promise<StateRecord | undefined> {
    return toRecord(await this.#run(scripts.read, this.#record(key), [this.#now()]))
  }

  async put(key: string, value: JsonValue, lifetime: Lifetime): Promise<void> {
    await this.#run(scripts.put, this.#record(key), this.#written(value, lifetime))
  }

  async putIfAbsent(key: string, value: JsonValue, lifetime: Lifetime): Promise<boolean> {
    const values = [...this.#written(value, lifetime), this.#now()]
    return (await this.#run(scripts.putIfAbsent, this.#record(key), values)) === 1
  }

  async take(key: string): Promise<StateRecord | undefined> {
    return toRecord(await this.#run(scripts.take, this.#record(key), [this.#now()]))
  }

  async update(key: string, version: string, value: JsonValue, lifetime?: Lifetime): Promise<boolean> {
    const now = this.#now()
    if (lifetime !== undefined) checkDuration('ttlMs', lifetime.ttlMs)
    const end = lifetime === undefined ? [] : [now + lifetime.ttlMs, lifetime.ttlMs + SLACK_MS]
    const values = [this.#nextVersion(), encodeValue(value), storedName(version), now, ...end]
    return (await this.#run(scripts.update, this.#record(key), values)) === 1
  }

  async delete(key: string): Promise<void> {
    await this.#run(scripts.remove, [...this.#record(key), ...this.#key('key', key, 'c')], [])
  }

  async increment(key: string, window: { readonly windowMs: number; readonly by?: number }): Promise<Counter> {
    const by = window.by ?? 1
    checkDuration('windowMs', window.windowMs)
    checkIncrement(by)
    const now = this.#now()
    const values = [now, by, now + window.windowMs, window.windowMs + SLACK_MS]
    const [count, resetsAt] = counterReply.parse(await this.#run(scripts.increment, this.#key('key', key, 'c'), values))
    return { count, resetsAt }
  }

  async schedule(queue: string, member: string, dueAt: number): Promise<void> {
    checkName('member', member)
    checkTime('dueAt', dueAt)
    // As JSON, because Redis would lose lone surrogates.
    await this.#run(scripts.schedule, this.#key('queue', queue, 'q'), [dueAt, JSON.stringify(member)])
  }

  async claim(
    queue: string,
    claim: { readonly leaseMs: number; readonly limit: number; readonly member?: string },
  ): Promise<readonly string[]> {
    checkDuration('leaseMs', claim.leaseMs)
    checkLimit(claim.limit)
    if (claim.member !== undefined) checkName('member', claim.member)
    const now = this.#now()
    const only = claim.member === undefined ? [] : [JSON.stringify(claim.member)]
    const values = [now, now + claim.leaseMs, claim.limit, ...only]
    return claimReply.parse(await this.#run(scripts.claim, this.#key('queue', queue, 'q'), values))
  }

  async unschedule(queue: string, member: string): Promise<void> {
    checkName('member', member)
    await this.#run(scripts.unschedule, this.#key('queue', queue, 'q'), [JSON.stringify(member)])
  }

  async publish(topic: string): Promise<void> {
    checkName('topic', topic)
    this.#wakeUps.wake(storedName(topic))
    await this.#remote.publish(storedName(topic))
  }

  async subscribe(topic: string, listener: () => void): Promise<() => Promise<void>> {
    checkName('topic', topic)
    const remove = this.#wakeUps.add(storedName(topic), listener)
    await this.#remote.listen()
    return async () => {
      remove()
    }
  }

  /** Ends the connection for wake-ups. `client` stays open: it is the application's. */
  async close(): Promise<void> {
    this.#remote.close()
  }

  #record(key: string): string[] {
    return this.#key('key', key, 'r')
  }

  #key(field: string, name: string, kind: string): string[] {
    checkName(field, name)
    // The braces are a cluster's hash tag: what belongs to one name is kept on one node.
    return [`${this.#prefix}{${storedName(name)}}:${kind}`]
  }

  #written(value: JsonValue, { ttlMs }: Lifetime): (string | number)[] {
    checkDuration('ttlMs', ttlMs)
    return [this.#nextVersion(), this.#now() + ttlMs, encodeValue(value), ttlMs + SLACK_MS]
  }

  async #run(script: string, keys: string[], values: readonly (string | number)[]): Promise<unknown> {
    this.#tested ??= this.#selfTest()
    try {
      await this.#tested
    } catch (error) {
      // Redis may be there the next time.
      this.#tested = undefined
      throw error
    }
    return this.#eval(script, keys, values)
  }

  async #eval(script: string, keys: string[], values: readonly (string | number)[]): Promise<unknown> {
    try {
      return await answerOf(
        this.#client.eval(script, { keys, arguments: values.map(String) }),
        this.#timeoutMs,
        'Redis',
      )
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined
      if (cause instanceof Error && /\bOOM\b/.test(cause.message)) {
        throw new StoreFullError('Redis is out of memory', { cause })
      }
      throw error
    }
  }

  async #selfTest(): Promise<void> {
    const key = this.#record(`self-test.${this.#nextVersion()}`)
    await this.#eval(scripts.put, key, this.#written('works', { ttlMs: 10_000 }))
    const answer = recordReply.safeParse(await this.#eval(scripts.take, key, [this.#now()]))
    if (!answer.success || answer.data?.value !== 'works') {
      throw new ConfigurationError(
        'the Redis client did not give back what it was given: pass a client of the npm package redis, or fromIoredis(client), without options that change replies',
      )
    }
  }
}

const numberText = z.string().regex(/^\d+$/).transform(Number)
const counterReply = z.tuple([numberText, numberText])
const claimReply = z.array(z.string().transform((text) => z.string().parse(JSON.parse(text))))
const recordReply = z
  .tuple([z.string(), z.string(), numberText])
  .transform(([json, version, expiresAt]): StateRecord => ({ value: decodeValue(json), version, expiresAt }))
  .nullable()

function toRecord(reply: unknown): StateRecord | undefined {
  return recordReply.parse(reply) ?? undefined
}

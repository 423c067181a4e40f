import type { Logger } from '../../runtime.js'
import { answerOf } from '../unavailable.js'
import type { WakeUps } from '../wake-ups.js'
import type { RedisClient, RedisSubscriber } from './client.js'

const FIRST_WAIT_MS = 1_000

/** Carries wake-ups between processes by publish and subscribe. All of it is a hint: what fails is logged. */
export class RedisWakeUps {
  readonly #client: RedisClient
  readonly #channel: string
  readonly #own: string
  readonly #local: WakeUps
  readonly #logger: Logger
  #subscriber: RedisSubscriber | undefined
  #subscribed: Promise<void> | undefined

  /** @param options - `own` tells the wake-ups of this store, who were served already, from those of others. */
  constructor(options: { client: RedisClient; channel: string; own: string; local: WakeUps; logger: Logger }) {
    this.#client = options.client
    this.#channel = options.channel
    this.#own = options.own
    this.#local = options.local
    this.#logger = options.logger
  }

  async publish(topic: string): Promise<void> {
    try {
      await answerOf(this.#client.publish(this.#channel, `${this.#own} ${topic}`), FIRST_WAIT_MS, 'Redis')
    } catch (error) {
      this.#logger.warn({ err: error }, 'a wake-up could not be published')
    }
  }

  /** Resolves when listening, or after a second: the client goes on trying. */
  async listen(): Promise<void> {
    this.#subscribed ??= this.#subscribe()
    try {
      await answerOf(this.#subscribed, FIRST_WAIT_MS, 'Redis')
    } catch (error) {
      this.#logger.warn({ err: error }, 'listening for wake-ups failed')
    }
  }

  close(): void {
    this.#subscriber?.destroy()
    this.#subscriber = undefined
    this.#subscribed = Promise.resolve()
  }

  async #subscribe(): Promise<void> {
    const subscriber = this.#client.duplicate()
    this.#subscriber = subscriber
    subscriber.on('error', (error) => this.#logger.warn({ err: error }, 'the connection for wake-ups broke'))
    try {
      await subscriber.connect()
      await subscriber.subscribe(this.#channel, (message) => this.#heard(message))
    } catch (error) {
      // The client gave up for good. The next subscriber begins anew.
      this.#subscribed = undefined
      subscriber.destroy()
      throw error
    }
    // What was said while a broken connection was away is lost: let everybody look.
    subscriber.on('ready', () => this.#local.wakeAll())
  }

  #heard(message: string): void {
    const space = message.indexOf(' ')
    if (message.slice(0, space) !== this.#own) this.#local.wake(message.slice(space + 1))
  }
}

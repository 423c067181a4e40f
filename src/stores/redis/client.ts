/**
 * A client of the npm package `redis` (node-redis 5 or newer; a cluster client too), by the part that we use. For ioredis see `fromIoredis`.
 * A client of your own needs no more than this.
 */
export interface RedisClient {
  /** Runs a Lua script as one atomic step. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  publish(channel: string, message: string): Promise<unknown>
  /** Makes another, unconnected client with the same settings: one that subscribes can do nothing else. */
  duplicate(): RedisSubscriber
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** What {@link RedisClient.duplicate} makes, by the part that we use. */
export interface RedisSubscriber {
  connect(): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'ready', listener: () => void): unknown
  /** Ends the connection at once. */
  destroy(): void
}

/** A client of the npm package `ioredis` or one like it, by the part that we use. */
export interface IoredisClient {
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
  publish(channel: string, message: string): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  duplicate(): IoredisClient
  connect(): Promise<unknown>
  disconnect(): void
  readonly status: string
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'ready', listener: () => void): unknown
  on(event: 'message', listener: (channel: string, message: string) => void): unknown
}

/**
 * Makes an ioredis client usable for `RedisStateStore`.
 *
 * @example
 * const state = new RedisStateStore({ client: fromIoredis(new Redis(url)) })
 */
export function fromIoredis(client: IoredisClient): RedisClient {
  return {
    eval: (script, { keys, arguments: values }) => client.eval(script, keys.length, ...keys, ...values),
    publish: (channel, message) => client.publish(channel, message),
    duplicate: () => subscriberOf(client.duplicate()),
    on: (event, listener) => client.on(event, listener),
  }
}

function subscriberOf(client: IoredisClient): RedisSubscriber {
  return {
    // ioredis connects by itself, unless it was told to wait.
    connect: async () => {
      if (client.status === 'wait') await client.connect()
    },
    subscribe: (channel, listener) => {
      client.on('message', (from, message) => {
        if (from === channel) listener(message)
      })
      return client.subscribe(channel)
    },
    on: (event: 'error' | 'ready', listener: (error: Error) => void) => client.on(event as 'error', listener),
    destroy: () => client.disconnect(),
  }
}

import { createServer, type AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { RedisStateStore, type RedisClient } from 'passport-outofband/stores/redis'
import { storeProcessesContract } from '../../contract/state-store-processes.js'
import { describeWith, privateRedis, sharedRedis, type Service } from '../../support/services.js'
import { openStore } from '../../support/store-process/open.js'
import { waitFor } from '../../support/wait-for.js'

const hour = { ttlMs: 3_600_000 }

describeWith('redis', 'Redis', () => {
  storeProcessesContract('RedisStateStore', {
    place: async () => ({ kind: 'redis', at: await sharedRedis() }),
    wakesOthers: true,
  })

  test('a client of another kind is noticed by the first call', async () => {
    const ioredis = new Redis(await sharedRedis())
    onTestFinished(() => ioredis.disconnect())
    const store = new RedisStateStore({ client: ioredis as unknown as RedisClient })
    await expect(store.put('k', 1, hour)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_(CONFIGURATION|STORE_UNAVAILABLE)$/) as string,
    })
  })

  test('a client that saves nothing is noticed by the first call', async () => {
    const forgetful: RedisClient = {
      eval: () => Promise.resolve('OK'),
      publish: () => Promise.resolve(0),
      duplicate: () => {
        throw new Error('not needed here')
      },
      on: () => undefined,
    }
    await expect(new RedisStateStore({ client: forgetful }).get('k')).rejects.toMatchObject({
      code: 'ERR_CONFIGURATION',
    })
  })

  test.each(['', 'oob{x}:', 'a b', 'x\r\n', '*'.repeat(3), 'x'.repeat(65)])(
    'the prefix %j is refused [SC 99]',
    async (prefix) => {
      const client = createClient({ url: await sharedRedis() })
      expect(() => new RedisStateStore({ client, prefix })).toThrow("'prefix'")
    },
  )

  test('a full Redis is a full store, and says so', async () => {
    const server = await privateRedis()
    onTestFinished(() => server.dispose())
    const client = createClient({ url: server.url })
    await client.connect()
    onTestFinished(() => client.destroy())
    const store = new RedisStateStore({ client })
    await store.put('k', 1, hour)
    await client.configSet('maxmemory', '1')
    await expect(store.put('k2', 2, hour)).rejects.toMatchObject({ code: 'ERR_STORE_FULL' })
    expect(await store.get('k')).toMatchObject({ value: 1 })
  })
})

describeWith('redis', 'a Redis that goes down', () => {
  let server: Service
  beforeAll(async () => {
    server = await privateRedis({ durable: true })
  })
  afterAll(() => server.dispose())

  test('fails every call with StoreUnavailableError while it is down, then all goes on, wake-ups too [SC 98]', async () => {
    const { store, close } = await openStore({ kind: 'redis', at: server.url })
    onTestFinished(close)
    let woken = 0
    onTestFinished(await store.subscribe('t', () => (woken += 1)))
    await store.put('kept', 'before', hour)
    await store.increment('attempts', { windowMs: 3_600_000 })
    await server.stop('SIGKILL')
    const calls = await Promise.allSettled([
      store.get('kept'),
      store.put('lost', 1, hour),
      store.increment('other attempts', { windowMs: 3_600_000 }),
      store.claim('q', { leaseMs: 1, limit: 1 }),
    ])
    for (const call of calls) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'ERR_STORE_UNAVAILABLE' } })
    }
    await store.publish('t')
    woken = 0
    await server.start()
    await waitFor(() => store.get('kept'), { timeoutMs: 15_000 })
    expect((await store.get('kept'))!.value).toBe('before')
    expect(await store.increment('attempts', { windowMs: 3_600_000 })).toMatchObject({ count: 2 })
    await waitFor(() => woken, { timeoutMs: 15_000, message: 'nobody was woken after the interruption' })
  })

  test('a server that takes the connection and never answers is unavailable within the time limit', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void silent.close())
    const { port } = silent.address() as AddressInfo
    const client = createClient({ url: `redis://127.0.0.1:${port}` })
    const store = new RedisStateStore({ client, timeoutMs: 100 })
    client.connect().catch(() => undefined)
    onTestFinished(() => client.destroy())
    await expect(store.take('k')).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })
})

import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { fromIoredis, RedisStateStore, type RedisClient } from 'passport-outofband/stores/redis'
import { stateStoreContract, type StateStoreSubject } from '../../contract/state-store.js'
import { describeWith, sharedRedis } from '../../support/services.js'

function subject(client: RedisClient, end: () => Promise<unknown>): StateStoreSubject {
  const stores: RedisStateStore[] = []
  return {
    wakesOthers: true,
    open: async (runtime) => {
      const store = new RedisStateStore({ client, runtime })
      stores.push(store)
      return store
    },
    close: async () => {
      for (const store of stores) await store.close()
      await end()
    },
  }
}

describeWith('redis', 'Redis', () => {
  stateStoreContract('RedisStateStore on node-redis', async () => {
    const client = createClient({ url: await sharedRedis() })
    await client.connect()
    return subject(client, () => client.close())
  })

  stateStoreContract('RedisStateStore on ioredis', async () => {
    const client = new Redis(await sharedRedis())
    return subject(fromIoredis(client), () => client.quit())
  })
})

export { RedisStateStore, type RedisStateStoreOptions } from './state-store.js'
export { fromIoredis, type IoredisClient, type RedisClient, type RedisSubscriber } from './client.js'

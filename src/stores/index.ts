export { MemoryStateStore, type MemoryStateStoreOptions } from './memory.js'
export { MemoryUserStore } from './memory-user-store.js'

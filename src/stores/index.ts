export { MemoryStateStore, type MemoryStateStoreOptions } from './memory.js'

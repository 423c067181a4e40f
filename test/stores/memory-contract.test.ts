import { MemoryStateStore } from 'passport-outofband/stores'
import { stateStoreContract } from '../contract/state-store.js'

stateStoreContract('MemoryStateStore', async () => {
  const stores = new Map<object, MemoryStateStore>()
  return {
    wakesOthers: true,
    // The data of this adapter is the store itself: who opens it again with the same clock means the same one.
    open: async (runtime) => {
      const store = stores.get(runtime) ?? new MemoryStateStore({ runtime })
      stores.set(runtime, store)
      return store
    },
    close: async () => undefined,
  }
})

import { MemoryUserStore } from 'passport-outofband/stores'
import { userStoreContract } from '../contract/user-store.js'

userStoreContract('MemoryUserStore', async () => {
  let store = new MemoryUserStore()
  return {
    open: async () => store,
    empty: async () => {
      store = new MemoryUserStore()
    },
    close: async () => undefined,
  }
})

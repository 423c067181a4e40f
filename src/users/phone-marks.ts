import { createHmac } from 'node:crypto'
import type { StateStore } from '../approval/state-store.js'
import type { PhoneMarks } from './context.js'

/** "This number was verified a moment ago", used up by the registration or change that asks for it. */
export function createPhoneMarks(
  state: StateStore,
  options: { readonly namespace: string; readonly key: Buffer; readonly lifetimeSeconds: number },
): PhoneMarks {
  const keyOf = (phone: string): string =>
    `${options.namespace}:phone-mark:${createHmac('sha256', options.key).update(phone).digest('base64url')}`
  return {
    async set(phone, userId) {
      await state.put(keyOf(phone), { userId: userId ?? null }, { ttlMs: options.lifetimeSeconds * 1000 })
    },
    async take(phone, userId) {
      const record = await state.get(keyOf(phone))
      const value = record?.value
      if (record === undefined || typeof value !== 'object' || value === null || !('userId' in value)) return false
      if (value.userId !== null && value.userId !== (userId ?? null)) return false
      return state.update(keyOf(phone), record.version, { userId: -1 }, { ttlMs: 1 })
    },
  }
}

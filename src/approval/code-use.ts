import { keyOf } from './random-id.js'
import type { StateStore } from './state-store.js'

// Longer than any code lives; short enough that a code of six digits hardly ever comes up again within it.
const MEMORY_MS = 3_600_000

/** A code that is being tried. */
export interface CodeUse {
  /** It was wrong, or nobody judged it: it may be tried again. */
  forget(): Promise<void>
}

/**
 * Reserves a code for one try: atomically, for the subject, in all processes. Nothing if it was used before, whatever
 * the provider would say of it now. The store holds a digest. `AuthyTokenStrategy` does this with the realm `authy`: where
 * an application checks codes in a place of its own, the same realm and subject keep one from being used in both.
 *
 * @throws {@link StoreUnavailableError}
 */
export async function useCodeOnce(
  state: StateStore,
  use: { readonly subject: string; readonly code: string; readonly realm: string },
): Promise<CodeUse | undefined> {
  const key = `used-code:${keyOf(use.realm, use.subject, use.code)}`
  if (!(await state.putIfAbsent(key, true, { ttlMs: MEMORY_MS }))) return undefined
  return { forget: () => state.delete(key) }
}

/** How a code was sent to a person. */
export type CodeDelivery = 'sms' | 'call'

// A code that was sent is good for this long at most.
const DELIVERY_MEMORY_MS = 900_000

/**
 * Remembers that a code is sent to the subject, so that one typed in afterwards counts as what it may be (`sms`,
 * `call`) and not as one from the app. Call it before the code is sent: a provider whose answer got lost may have sent it.
 */
export async function rememberDelivery(state: StateStore, subject: string, via: CodeDelivery): Promise<void> {
  await state.put(keyOfDelivery(subject, via), true, { ttlMs: DELIVERY_MEMORY_MS })
}

/** As what a code of this subject counts now: the weakest of the ways in which it may have come. */
export async function factorOfCode(state: StateStore, subject: string): Promise<'totp' | CodeDelivery> {
  const [sms, call] = await Promise.all([
    state.get(keyOfDelivery(subject, 'sms')),
    state.get(keyOfDelivery(subject, 'call')),
  ])
  if (sms !== undefined) return 'sms'
  return call === undefined ? 'totp' : 'call'
}

function keyOfDelivery(subject: string, via: CodeDelivery): string {
  return `code-delivery:${via}:${keyOf(subject)}`
}

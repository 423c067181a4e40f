import { channel } from 'node:diagnostics_channel'
import type { Logger } from '../runtime.js'

/** Published on `node:diagnostics_channel` as `passport-outofband:factor` for every try to prove a factor, raised login and sign-out. Holds no code, token or session id. */
export interface FactorEvent {
  readonly subject: string
  /** `password`, `totp`, `push`, ...; for a login that was completed or ended: `login`. */
  readonly factor: string
  /** `passed`: the factor is proved; `failed`: it isn't; `limited`: not even tried; `completed`: the login's policy is met; `ended`: signed out. */
  readonly result: 'passed' | 'failed' | 'limited' | 'completed' | 'ended'
  /** Why it failed: `invalid`, `used`, `denied`, `expired`, ... */
  readonly reason?: string
  /** Milliseconds since the epoch (UTC). */
  readonly at: number
}

const factors = channel('passport-outofband:factor')

/** Tells whoever listens, and the log. */
export function publishFactorEvent(logger: Logger, event: FactorEvent): void {
  const level = event.result === 'failed' || event.result === 'limited' ? 'warn' : 'info'
  logger[level]({ ...event, at: new Date(event.at).toISOString() }, `factor ${event.result}`)
  if (factors.hasSubscribers) factors.publish(event)
}

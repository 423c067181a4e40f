import { channel } from 'node:diagnostics_channel'
import { z } from 'zod'
import { InvalidInputError } from '../errors.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../runtime.js'
import { factorName } from './factors.js'

/** Published on `node:diagnostics_channel` as `passport-outofband:factor` for every try to prove a factor, raised login, sign-out, and change of a person's factors. Holds no code, token or session id. */
export interface FactorEvent {
  readonly subject: string
  /** `password`, `totp`, `push`, ...; for a login that was completed or ended: `login`. */
  readonly factor: string
  /**
   * `passed`: the factor is proved; `failed`: it isn't; `limited`: not even tried; `completed`: the login's policy is met; `ended`: signed out;
   * `added`, `changed`, `removed`: the person has the factor from now on, has another one of it, or has it no more.
   */
  readonly result: 'passed' | 'failed' | 'limited' | 'completed' | 'ended' | FactorChange['change']
  /** Why it failed: `invalid`, `used`, `denied`, `expired`, ... */
  readonly reason?: string
  /** Milliseconds since the epoch (UTC). */
  readonly at: number
}

/** What {@link reportFactorChange} takes. */
export interface FactorChange {
  /** The application's own id of the person. */
  readonly subject: string
  /** `password`, `totp`, `push`, `phone`, `email`, ... or a name of your own. */
  readonly factor: string
  readonly change: 'added' | 'changed' | 'removed'
}

/** @internal The name of the channel. */
export const factorEventChannel = 'passport-outofband:factor'

const factors = channel(factorEventChannel)
const changeSchema = z.strictObject({
  subject: z.string().min(1),
  factor: factorName,
  change: z.enum(['added', 'changed', 'removed']),
})

/**
 * Reports that a person's way in was added, changed or removed, from where the application does it: for the records (a
 * `FactorEvent`, and the log), and for the person, whom `notifyOfUnusualEvents` tells.
 *
 * @throws {@link InvalidInputError}
 *
 * @example
 * await accounts.setAuthyId(subject, authyId)
 * reportFactorChange({ subject, factor: 'totp', change: 'added' })
 */
export function reportFactorChange(
  change: FactorChange,
  options: { readonly logger?: Logger | undefined; readonly runtime?: Partial<Runtime> | undefined } = {},
): void {
  const read = changeSchema.safeParse(change)
  if (!read.success) {
    const field = String(read.error.issues[0]?.path[0] ?? 'change')
    throw new InvalidInputError(field, `reportFactorChange: ${field} is wrong`)
  }
  const { subject, factor, change: result } = read.data
  const at = resolveRuntime(options.runtime).now()
  publishFactorEvent(options.logger ?? silentLogger, { subject, factor, result, at })
}

/** Tells whoever listens, and the log. */
export function publishFactorEvent(logger: Logger, event: FactorEvent): void {
  const level = event.result === 'failed' || event.result === 'limited' ? 'warn' : 'info'
  logger[level]({ ...event, at: new Date(event.at).toISOString() }, `factor ${event.result}`)
  if (factors.hasSubscribers) factors.publish(event)
}

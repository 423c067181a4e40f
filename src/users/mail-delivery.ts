import { ApprovalError, MailRefusedError, ProviderTimeoutError } from '../errors.js'
import type { Logger, Runtime } from '../runtime.js'

export interface DeliveryOptions {
  /** How long it waits before each further try. */
  readonly retrySeconds: readonly number[]
  /** For one try. */
  readonly timeoutMs: number
  readonly runtime: Runtime
  readonly logger: Logger
}

/**
 * Tries a delivery until it succeeds, is refused, or no waiting time is left. Never rejects: errors of mail servers repeat
 * the address, so the log gets their kind only, and nobody else hears of them.
 */
export async function deliverWithRetries(
  deliver: () => Promise<void>,
  { retrySeconds, timeoutMs, runtime, logger }: DeliveryOptions,
): Promise<void> {
  for (const seconds of [...retrySeconds, undefined]) {
    try {
      await within(runtime, timeoutMs, 'mail', deliver)
      return
    } catch (error) {
      const reason = error instanceof ApprovalError ? error.message : error instanceof Error ? error.name : 'unknown'
      if (seconds === undefined || error instanceof MailRefusedError) {
        logger.error({ reason }, 'a mail could not be delivered')
        return
      }
      logger.warn({ reason, retrySeconds: seconds }, 'a mail could not be delivered yet')
      await runtime.sleep(seconds * 1000)
    }
  }
}

/** Waits for a delivery no longer than that. What comes of it later is not looked at any more. */
export async function within(
  runtime: Runtime,
  timeoutMs: number,
  name: string,
  send: () => Promise<void>,
): Promise<void> {
  const done = new AbortController()
  const tooLate = async (): Promise<never> => {
    await runtime.sleep(timeoutMs, done.signal)
    throw new ProviderTimeoutError(name, 'total', timeoutMs)
  }
  try {
    await Promise.race([send(), tooLate()])
  } finally {
    done.abort()
  }
}

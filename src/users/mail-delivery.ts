import { ApprovalError, MailRefusedError } from '../errors.js'
import type { Logger, Runtime } from '../runtime.js'

/**
 * Tries a delivery until it succeeds, is refused, or no waiting time is left. Never rejects: errors of mail servers repeat
 * the address, so the log gets their kind only, and nobody else hears of them.
 */
export async function deliverWithRetries(
  deliver: () => Promise<void>,
  retrySeconds: readonly number[],
  { runtime, logger }: { readonly runtime: Runtime; readonly logger: Logger },
): Promise<void> {
  for (const seconds of [...retrySeconds, undefined]) {
    try {
      await deliver()
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

import { ApprovalError, StoreUnavailableError } from '../errors.js'

/**
 * Waits for a store's answer, but not for ever: a store that hangs is as good as one that is down.
 *
 * @throws {@link StoreUnavailableError} for whatever the driver throws, and when `timeoutMs` have passed.
 */
export async function answerOf<T>(work: Promise<T>, timeoutMs: number, store: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    // A real timer on purpose: it guards a socket, whose time is real whatever the runtime says.
    timer = setTimeout(
      () =>
        reject(
          new StoreUnavailableError(`${store} did not answer within ${timeoutMs} ms; whether it acted is unknown`),
        ),
      timeoutMs,
    )
  })
  try {
    return await Promise.race([work, late])
  } catch (error) {
    if (error instanceof ApprovalError) throw error
    throw new StoreUnavailableError(`${store} could not be read or written`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

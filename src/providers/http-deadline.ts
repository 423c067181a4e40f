/**
 * The time that one call has, with all its tries: ends by itself or when the caller aborts. Real timers on purpose and
 * not `runtime.sleep`: a test that makes waiting instant must not make every deadline pass.
 */
export class Deadline {
  /** Aborted by the deadline or by the caller, whichever comes first. */
  readonly signal: AbortSignal
  readonly #caller: AbortSignal | undefined
  readonly #endsAt: number
  readonly #controller = new AbortController()
  readonly #dispose: () => void
  #passed = false

  /** Throws the caller's reason if it has aborted already. */
  constructor(caller: AbortSignal | undefined, timeoutMs: number) {
    caller?.throwIfAborted()
    const controller = this.#controller
    const onAbort = (): void => controller.abort(caller?.reason)
    const timer = setTimeout(() => {
      this.#passed = true
      controller.abort()
    }, timeoutMs)
    caller?.addEventListener('abort', onAbort, { once: true })
    this.signal = controller.signal
    this.#caller = caller
    this.#endsAt = performance.now() + timeoutMs
    this.#dispose = () => {
      clearTimeout(timer)
      caller?.removeEventListener('abort', onAbort)
    }
  }

  /** Whether the time is up (and not the caller has aborted before). */
  get passed(): boolean {
    return this.#passed
  }

  /** Milliseconds that are left. */
  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now())
  }

  /** Whether the caller aborted before the time was up. */
  get callerAborted(): boolean {
    return !this.#passed && this.#caller?.aborted === true
  }

  /** Throws the caller's own reason, if it was the caller who aborted. */
  throwIfCallerAborted(): void {
    if (this.callerAborted) this.#caller?.throwIfAborted()
  }

  /**
   * Waits for a promise, but not longer than the deadline: also where what is waited for ignores signals. The listener is removed each
   * time: a Promise.race against one long promise would keep every chunk of a download in memory.
   */
  async within<T>(promise: Promise<T>): Promise<T> {
    let onAbort: (() => void) | undefined
    const aborted = new Promise<never>((_resolve, reject) => {
      onAbort = () => reject(new Error('aborted'))
      if (this.signal.aborted) onAbort()
      else this.signal.addEventListener('abort', onAbort, { once: true })
    })
    try {
      return await Promise.race([promise, aborted])
    } finally {
      if (onAbort) this.signal.removeEventListener('abort', onAbort)
    }
  }

  /** A signal for one try, which ends with the deadline or when the try is abandoned. */
  attempt(): { readonly signal: AbortSignal; readonly abandon: () => void } {
    const controller = new AbortController()
    const abandon = (): void => controller.abort(this.signal.reason)
    if (this.signal.aborted) abandon()
    else this.signal.addEventListener('abort', abandon, { once: true })
    return { signal: controller.signal, abandon }
  }

  /** Stops the timer and lets go of the caller's signal. */
  end(): void {
    this.#dispose()
  }

  /** Abandons whatever is still going on. */
  cancel(): void {
    this.#dispose()
    this.#controller.abort()
  }
}

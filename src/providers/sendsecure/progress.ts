import type { Logger } from '../../runtime.js'
import type { UploadProgress } from './attachment.js'

/**
 * A running upload: a promise of its outcome that can also be iterated for its progress, with `for await`. Whoever is
 * slow to iterate gets the latest state of each file and misses what was in between; nothing piles up.
 */
export type Tracked<T> = Promise<T> & AsyncIterable<UploadProgress>

export type ProgressCallback = (progress: UploadProgress) => void

/** Starts work that reports its progress, to a callback and to iterators. */
export function tracked<T>(
  run: (report: ProgressCallback) => Promise<T>,
  onProgress: ProgressCallback | undefined,
  logger: Logger,
): Tracked<T> {
  const listeners = new Set<Listener>()
  const promise = run((progress) => {
    for (const listener of listeners) listener.push(progress)
    try {
      onProgress?.(progress)
    } catch (error) {
      // A progress bar that fails must not fail the upload.
      logger.warn({ error: error instanceof Error ? error.name : typeof error }, 'the onProgress callback failed')
    }
  })
  const iterate = (): AsyncIterator<UploadProgress> => {
    const listener = new Listener()
    listeners.add(listener)
    promise.then(
      () => listener.end(undefined),
      (error: unknown) => listener.end({ error }),
    )
    return listener.iterate(() => listeners.delete(listener))
  }
  return Object.assign(promise, { [Symbol.asyncIterator]: iterate })
}

class Listener {
  readonly #latest = new Map<number, UploadProgress>()
  #over: { readonly failure: { readonly error: unknown } | undefined } | undefined
  #wake: () => void = () => undefined

  push(progress: UploadProgress): void {
    this.#latest.set(progress.index, progress)
    this.#wake()
  }

  end(failure: { readonly error: unknown } | undefined): void {
    this.#over = { failure }
    this.#wake()
  }

  async *iterate(forget: () => void): AsyncGenerator<UploadProgress> {
    try {
      for (;;) {
        const states = [...this.#latest.values()]
        this.#latest.clear()
        yield* states
        if (this.#latest.size > 0) continue
        if (this.#over) {
          if (this.#over.failure) throw this.#over.failure.error
          return
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      forget()
    }
  }
}

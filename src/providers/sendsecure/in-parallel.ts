import { setMaxListeners } from 'node:events'

/** Runs work for each item, so many at a time, and keeps the order. The first failure aborts the others. */
export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal | undefined,
  work: (item: T, index: number, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const controller = new AbortController()
  const all = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal
  setMaxListeners(0, all)
  const results: R[] = []
  const failures: unknown[] = []
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failures.length > 0) return
      try {
        results[index] = await work(item, index, all)
      } catch (error) {
        failures.push(error)
        controller.abort()
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  if (failures.length > 0) throw failures[0]
  return results
}

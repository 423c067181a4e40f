/**
 * Asks again every few milliseconds until the condition gives something truthy, and returns that. For what happens in
 * the background: never sleep for a fixed time instead.
 *
 * @throws after `timeoutMs` (default 5 s), with the condition's last error if it threw.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 5_000, intervalMs = 5, message = 'the condition did not come true' } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    let cause: unknown
    try {
      const value = await condition()
      if (value !== undefined && value !== null && value !== false && value !== 0 && value !== '') return value
    } catch (error) {
      cause = error
    }
    if (performance.now() > deadline) throw new Error(`${message} within ${timeoutMs} ms`, { cause })
    await new Promise((resolve) => setTimeout(resolve, intervalMs))
  }
}

import { expect, test } from 'vitest'
import { testRuntime } from './test-runtime.js'

test('sleepers wake in the order of their ends, each before the time goes on', async () => {
  const { runtime, clock } = testRuntime(1_000)
  const log: string[] = []
  const nap = async (name: string, ms: number): Promise<void> => {
    await runtime.sleep(ms)
    log.push(`${name}@${runtime.now()}`)
  }
  void nap('late', 30)
  void nap('early', 10).then(() => nap('early again', 10))
  await clock.advance(25)
  expect(log).toEqual(['early@1010', 'early again@1020'])
  await clock.advance(5)
  expect(log).toContain('late@1030')
  expect(clock.sleeping).toBe(0)
})

test('an aborted sleep rejects with the reason of the signal', async () => {
  const { runtime, clock } = testRuntime()
  const controller = new AbortController()
  const nap = runtime.sleep(10, controller.signal)
  controller.abort(new Error('enough'))
  await expect(nap).rejects.toThrow('enough')
  await expect(runtime.sleep(10, controller.signal)).rejects.toThrow('enough')
  expect(clock.sleeping).toBe(0)
})

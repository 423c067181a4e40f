import { expect, test } from 'vitest'
import { MemoryStateStore } from 'passport-outofband/stores'
import { testRuntime } from '../support/test-runtime.js'

const minute = { ttlMs: 60_000 }
const full = expect.objectContaining({ code: 'ERR_STORE_FULL' }) as Error

test('takes no more than its capacity of records, counters and queue members [SC 100]', async () => {
  const { runtime, clock } = testRuntime()
  const store = new MemoryStateStore({ capacity: 100, runtime })
  for (let n = 0; n < 100; n += 1) {
    await store.put(`k${n}`, n, minute)
    await store.increment(`c${n}`, { windowMs: 60_000 })
    await store.schedule('q', `m${n}`, 0)
  }
  await expect(store.put('one more', 1, minute)).rejects.toEqual(full)
  await expect(store.increment('one more', { windowMs: 60_000 })).rejects.toEqual(full)
  await expect(store.schedule('q', 'one more', 0)).rejects.toEqual(full)
  await store.put('k7', 'replaced', minute)
  await store.increment('c7', { windowMs: 60_000 })
  await store.schedule('q', 'm7', 0)
  await clock.advance(60_000)
  await store.put('one more', 1, minute)
  await store.increment('one more', { windowMs: 60_000 })
  expect(await store.get('one more')).toMatchObject({ value: 1 })
})

test('a single expired record makes room, however many were replaced meanwhile [SC 100]', async () => {
  const { runtime, clock } = testRuntime()
  const store = new MemoryStateStore({ capacity: 50, runtime })
  await store.put('short', 1, { ttlMs: 10 })
  for (let n = 0; n < 49; n += 1) await store.put(`k${n}`, n, { ttlMs: 1 })
  for (let n = 0; n < 49; n += 1) await store.put(`k${n}`, n, minute)
  await expect(store.put('new', 1, minute)).rejects.toEqual(full)
  await clock.advance(10)
  await store.put('new', 1, minute)
  await expect(store.put('newer', 1, minute)).rejects.toEqual(full)
})

test('200,000 short-lived records pass through a store for 1,000 [SC 100]', async () => {
  const { runtime, clock } = testRuntime()
  const store = new MemoryStateStore({ capacity: 1_000, runtime })
  for (let n = 0; n < 200_000; n += 1) {
    if (n % 500 === 0) clock.set(clock.now() + 10)
    await store.put(`k${n}`, n, { ttlMs: 10 })
  }
  expect(await store.get('k199999')).toMatchObject({ value: 199_999 })
})

test('takes no more characters than it may, and gets them back [SC 100]', async () => {
  const { runtime, clock } = testRuntime()
  const store = new MemoryStateStore({ maxCharacters: 1_000, runtime })
  await store.put('a', 'x'.repeat(600), minute)
  await expect(store.put('b', 'x'.repeat(600), minute)).rejects.toEqual(full)
  const { version } = (await store.get('a'))!
  await expect(store.update('a', version, 'x'.repeat(1_000))).rejects.toEqual(full)
  await store.put('a', 'x'.repeat(300), minute)
  await store.put('b', 'x'.repeat(600), minute)
  await store.delete('a')
  await store.put('c', 'x'.repeat(300), minute)
  await clock.advance(60_000)
  await store.put('d', 'x'.repeat(900), minute)
})

test('names the option that it does not know', () => {
  const options: object = { capcity: 5 }
  expect(() => new MemoryStateStore(options)).toThrow("did you mean 'capacity'")
})

test('a listener that throws disturbs neither the publisher nor the others', async () => {
  const errors: object[] = []
  const nothing = (): void => undefined
  const store = new MemoryStateStore({
    logger: { debug: nothing, info: nothing, warn: nothing, error: (details) => errors.push(details) },
  })
  const woken: string[] = []
  await store.subscribe('t', () => {
    throw new Error('mistake')
  })
  const remove = await store.subscribe('t', () => woken.push('second'))
  await store.publish('t')
  await Promise.resolve()
  expect(woken).toEqual(['second'])
  expect(errors).toHaveLength(1)
  await remove()
  await store.publish('t')
  await Promise.resolve()
  expect(woken).toEqual(['second'])
})

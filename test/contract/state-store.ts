import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Runtime, StateStore } from 'passport-outofband'
import { testRuntime, type TestClock } from '../support/test-runtime.js'
import { hostileNames, jsonValues, notJson } from './hostile.js'
import { stateStoreModel } from './state-store-model.js'
import { stateStoreRaces } from './state-store-races.js'

/** An adapter under test. */
export interface StateStoreSubject {
  /** Whether wake-ups reach the other stores on the same data. */
  readonly wakesOthers: boolean
  /** Opens a store on the same data as every other store that this subject opens. */
  open(runtime: Partial<Runtime>): Promise<StateStore>
  /** Ends what `open` began, and the data. */
  close(): Promise<void>
}

/** What a test gets: stores of one moving clock, and a prefix for keys of its own. */
export interface Fixture {
  readonly store: StateStore
  /** A second store on the same data; for adapters that keep it in the process, the same store. */
  readonly other: StateStore
  readonly clock: TestClock
  readonly key: (name?: string) => string
}

const minute = { ttlMs: 60_000 }

/**
 * The promises of the `StateStore` port, as tests. Run it against an adapter of your own:
 *
 * @example
 * stateStoreContract('MyStateStore', async () => ({
 *   wakesOthers: true,
 *   open: async (runtime) => new MyStateStore({ runtime }),
 *   close: async () => {},
 * }))
 */
export function stateStoreContract(name: string, start: () => Promise<StateStoreSubject>): void {
  describe(`${name} as a state store`, () => {
    let subject: StateStoreSubject
    let count = 0
    const run = Math.random().toString(36).slice(2)
    beforeAll(async () => {
      subject = await start()
    })
    afterAll(() => subject.close())

    async function fixture(): Promise<Fixture> {
      const { runtime, clock } = testRuntime()
      count += 1
      const own = `${run}.${count}`
      const key = (suffix = ''): string => own + suffix
      return { store: await subject.open(runtime), other: await subject.open(runtime), clock, key }
    }

    describe('records', () => records(fixture))
    describe('names and values', () => namesAndValues(fixture))
    describe('counters', () => counters(fixture))
    describe('queues', () => queues(fixture))
    describe('wake-ups', () => wakeUps(fixture, () => subject.wakesOthers))
    describe('races', () => stateStoreRaces(fixture))
    describe('any history', () => stateStoreModel(fixture))
  })
}

function records(fixture: () => Promise<Fixture>): void {
  test('a record is there for every reader until it ends, and no longer [SC 97]', async () => {
    const { store, other, clock, key } = await fixture()
    expect(await store.get(key())).toBeUndefined()
    await store.put(key(), { a: 1 }, minute)
    expect(await other.get(key())).toEqual({
      value: { a: 1 },
      version: expect.any(String) as string,
      expiresAt: clock.now() + 60_000,
    })
    clock.set(clock.now() + 59_999)
    expect(await other.get(key())).toMatchObject({ value: { a: 1 } })
    clock.set(clock.now() + 1)
    expect(await store.get(key())).toBeUndefined()
    expect(await other.take(key())).toBeUndefined()
  })

  test('put replaces what is there, with a new end and a new version', async () => {
    const { store, clock, key } = await fixture()
    await store.put(key(), 1, minute)
    const first = await store.get(key())
    await store.put(key(), 2, { ttlMs: 1 })
    const second = await store.get(key())
    expect(second).toMatchObject({ value: 2, expiresAt: clock.now() + 1 })
    expect(second!.version).not.toBe(first!.version)
  })

  test('putIfAbsent writes only where nothing lives [SC 97]', async () => {
    const { store, clock, key } = await fixture()
    expect(await store.putIfAbsent(key(), 1, { ttlMs: 10 })).toBe(true)
    expect(await store.putIfAbsent(key(), 2, minute)).toBe(false)
    expect(await store.get(key())).toMatchObject({ value: 1, expiresAt: clock.now() + 10 })
    clock.set(clock.now() + 10)
    expect(await store.putIfAbsent(key(), 3, minute)).toBe(true)
    expect(await store.get(key())).toMatchObject({ value: 3, expiresAt: clock.now() + 60_000 })
  })

  test('take gives a record once', async () => {
    const { store, other, clock, key } = await fixture()
    await store.put(key(), 'once', minute)
    expect(await other.take(key())).toMatchObject({ value: 'once', expiresAt: clock.now() + 60_000 })
    expect(await store.take(key())).toBeUndefined()
    expect(await store.get(key())).toBeUndefined()
    expect(await store.putIfAbsent(key(), 'again', minute)).toBe(true)
  })

  test('update replaces exactly the version it names', async () => {
    const { store, clock, key } = await fixture()
    await store.put(key(), 1, minute)
    const { version } = (await store.get(key()))!
    clock.set(clock.now() + 1_000)
    for (const wrong of ['', 'other', `${version}0`, `${version} `, "' or '1'='1"]) {
      expect(await store.update(key(), wrong, 'stolen')).toBe(false)
    }
    expect(await store.update(key(), version, 2)).toBe(true)
    expect(await store.update(key(), version, 3)).toBe(false)
    const kept = (await store.get(key()))!
    expect(kept).toMatchObject({ value: 2, expiresAt: clock.now() + 59_000 })
    expect(await store.update(key(), kept.version, 4, minute)).toBe(true)
    expect(await store.get(key())).toMatchObject({ value: 4, expiresAt: clock.now() + 60_000 })
  })

  test('update brings back neither what ended nor what was deleted [SC 97]', async () => {
    const { store, clock, key } = await fixture()
    await store.put(key('a'), 1, { ttlMs: 10 })
    await store.put(key('b'), 1, minute)
    const [a, b] = [(await store.get(key('a')))!, (await store.get(key('b')))!]
    clock.set(clock.now() + 10)
    await store.delete(key('b'))
    expect(await store.update(key('a'), a.version, 2, minute)).toBe(false)
    expect(await store.update(key('b'), b.version, 2, minute)).toBe(false)
    expect(await store.get(key('a'))).toBeUndefined()
    expect(await store.get(key('b'))).toBeUndefined()
  })

  test('no version comes twice, not even for the same value after deletion, take or end', async () => {
    const { store, other, clock, key } = await fixture()
    const versions: string[] = []
    const note = async (): Promise<void> => {
      const { version } = (await store.get(key()))!
      versions.push(version)
    }
    const ends: readonly ((s: StateStore) => Promise<unknown>)[] = [
      (s) => s.delete(key()),
      (s) => s.take(key()),
      async () => clock.set(clock.now() + 60_000),
    ]
    for (const writer of [store, other]) {
      for (const end of ends) {
        await writer.put(key(), 'same', minute)
        await note()
        await writer.update(key(), versions.at(-1)!, 'same')
        await note()
        await writer.put(key(), 'same', minute)
        await note()
        await end(writer)
      }
    }
    expect(new Set(versions).size).toBe(versions.length)
  })

  test('delete removes a record and a counter, and minds nothing that is not there', async () => {
    const { store, key } = await fixture()
    await store.delete(key())
    await store.put(key(), 1, minute)
    await store.increment(key(), { windowMs: 60_000 })
    await store.delete(key())
    expect(await store.get(key())).toBeUndefined()
    expect(await store.increment(key(), { windowMs: 60_000 })).toMatchObject({ count: 1 })
  })
}

function namesAndValues(fixture: () => Promise<Fixture>): void {
  test('every kind of JSON comes back as it went in', async () => {
    const { store, key } = await fixture()
    for (const [n, value] of jsonValues.entries()) {
      await store.put(key(`${n}`), value, minute)
      expect((await store.get(key(`${n}`)))!.value).toStrictEqual(value)
    }
  })

  test('values are copied on the way in and on the way out', async () => {
    const { store, key } = await fixture()
    const value = { list: [1] }
    await store.put(key(), value, minute)
    value.list.push(2)
    const read = (await store.get(key()))!.value as { list: number[] }
    expect(read).toEqual({ list: [1] })
    read.list.push(3)
    expect((await store.get(key()))!.value).toEqual({ list: [1] })
  })

  test('what JSON would lose without a word is refused', async () => {
    const { store, key } = await fixture()
    for (const value of notJson) {
      await expect(store.put(key(), value as never, minute)).rejects.toMatchObject({
        code: 'ERR_INPUT',
        field: 'value',
      })
    }
    expect(await store.get(key())).toBeUndefined()
  })

  test('a value of 256 KiB is taken, one byte more is not', async () => {
    const { store, key } = await fixture()
    const limit = 256 * 1024 - 2
    const values = ['x'.repeat(limit), 'é'.repeat(limit / 2)]
    for (const value of values) {
      await store.put(key(), value, minute)
      expect((await store.get(key()))!.value).toBe(value)
      const tooMuch = expect.objectContaining({ code: 'ERR_INPUT', field: 'value' }) as Error
      await expect(store.put(key(), `${value}x`, minute)).rejects.toEqual(tooMuch)
      await expect(store.putIfAbsent(key('2'), `${value}x`, minute)).rejects.toEqual(tooMuch)
      await expect(store.update(key(), 'v', `${value}x`)).rejects.toEqual(tooMuch)
    }
  })

  test('keys of any characters stay apart, in records, counters, queues and topics [SC 99]', async () => {
    const { store, clock, key } = await fixture()
    const names = [...hostileNames(key())]
    for (const [n, name] of names.entries()) {
      expect(await store.putIfAbsent(name, n, minute)).toBe(true)
      await store.increment(name, { windowMs: 60_000, by: n + 1 })
      await store.schedule(key('q'), name, clock.now())
      await store.schedule(name, 'member', clock.now())
    }
    for (const [n, name] of names.entries()) {
      expect((await store.get(name))!.value).toBe(n)
      expect(await store.increment(name, { windowMs: 60_000, by: 0 })).toMatchObject({ count: n + 1 })
      expect(await store.claim(name, { leaseMs: 1_000, limit: 10 })).toEqual(['member'])
    }
    const claimed = await store.claim(key('q'), { leaseMs: 1_000, limit: 1_000 })
    expect([...claimed].sort()).toEqual([...names].sort())
    for (const name of names) await store.delete(name)
    for (const name of names) expect(await store.get(name)).toBeUndefined()
  })

  const wrongNames: readonly unknown[] = ['', 'x'.repeat(513), undefined, null, 5, ['a'], { toString: () => 'a' }]
  test.each(wrongNames)('the key %j is refused by every method', async (name) => {
    const { store, key } = await fixture()
    const wrong = name as string
    const refusals = [
      store.get(wrong),
      store.put(wrong, 1, minute),
      store.putIfAbsent(wrong, 1, minute),
      store.take(wrong),
      store.update(wrong, 'v', 1),
      store.delete(wrong),
      store.increment(wrong, { windowMs: 1_000 }),
      store.schedule(wrong, 'm', 0),
      store.schedule(key(), wrong, 0),
      store.claim(wrong, { leaseMs: 1, limit: 1 }),
      store.unschedule(wrong, 'm'),
      store.unschedule(key(), wrong),
      store.publish(wrong),
      store.subscribe(wrong, () => undefined),
    ]
    for (const refusal of await Promise.allSettled(refusals)) {
      expect(refusal).toMatchObject({ status: 'rejected', reason: { code: 'ERR_INPUT' } })
    }
  })

  test.each([0, -1, 1.5, NaN, Infinity, 400 * 86_400_000 + 1, '1000', undefined])(
    'the duration %j is refused',
    async (value) => {
      const { store, key } = await fixture()
      const ms = value as number
      const refusals = [
        store.put(key(), 1, { ttlMs: ms }),
        store.putIfAbsent(key(), 1, { ttlMs: ms }),
        store.update(key(), 'v', 1, { ttlMs: ms }),
        store.increment(key(), { windowMs: ms }),
        store.claim(key(), { leaseMs: ms, limit: 1 }),
      ]
      for (const refusal of await Promise.allSettled(refusals)) {
        expect(refusal).toMatchObject({ status: 'rejected', reason: { code: 'ERR_INPUT' } })
      }
    },
  )
}

function counters(fixture: () => Promise<Fixture>): void {
  test('a counter counts within its window, whose end does not move, and then starts again', async () => {
    const { store, other, clock, key } = await fixture()
    const start = clock.now()
    const window = { windowMs: 1_000 }
    expect(await store.increment(key(), window)).toEqual({ count: 1, resetsAt: start + 1_000 })
    clock.set(start + 999)
    expect(await other.increment(key(), { windowMs: 5_000, by: 4 })).toEqual({ count: 5, resetsAt: start + 1_000 })
    clock.set(start + 1_000)
    expect(await store.increment(key(), window)).toEqual({ count: 1, resetsAt: start + 2_000 })
  })

  test('adding nothing reads, and starts no window', async () => {
    const { store, clock, key } = await fixture()
    const start = clock.now()
    const read = { windowMs: 1_000, by: 0 }
    expect(await store.increment(key(), read)).toEqual({ count: 0, resetsAt: start + 1_000 })
    clock.set(start + 500)
    expect(await store.increment(key(), { windowMs: 1_000, by: 3 })).toEqual({ count: 3, resetsAt: start + 1_500 })
    expect(await store.increment(key(), read)).toEqual({ count: 3, resetsAt: start + 1_500 })
    clock.set(start + 1_500)
    expect(await store.increment(key(), read)).toMatchObject({ count: 0 })
  })

  test('counters and records do not see each other', async () => {
    const { store, key } = await fixture()
    await store.put(key(), 'record', minute)
    expect(await store.increment(key(), { windowMs: 1_000 })).toMatchObject({ count: 1 })
    expect((await store.get(key()))!.value).toBe('record')
    await store.take(key())
    expect(await store.increment(key(), { windowMs: 1_000 })).toMatchObject({ count: 2 })
  })

  test.each([-1, 0.5, NaN, 1e10, '1'])('the increment %j is refused', async (by) => {
    const { store, key } = await fixture()
    await expect(store.increment(key(), { windowMs: 1_000, by: by as number })).rejects.toMatchObject({ field: 'by' })
  })
}

function queues(fixture: () => Promise<Fixture>): void {
  const lease = { leaseMs: 1_000, limit: 10 }

  test('a claim gets the members that are due, the longest due first, and leaves the rest', async () => {
    const { store, clock, key } = await fixture()
    const now = clock.now()
    await store.schedule(key(), 'later', now + 1)
    await store.schedule(key(), 'now', now)
    await store.schedule(key(), 'old', now - 1_000)
    await store.schedule(key(), 'older', now - 2_000)
    expect([...(await store.claim(key(), { leaseMs: 1_000, limit: 2 }))].sort()).toEqual(['old', 'older'])
    expect(await store.claim(key(), lease)).toEqual(['now'])
    expect(await store.claim(key(), lease)).toEqual([])
    clock.set(now + 1)
    expect(await store.claim(key(), lease)).toEqual(['later'])
  })

  test('a claimed member is nobody else’s until its lease ends, and then due again', async () => {
    const { store, other, clock, key } = await fixture()
    await store.schedule(key(), 'm', clock.now())
    expect(await store.claim(key(), lease)).toEqual(['m'])
    expect(await other.claim(key(), lease)).toEqual([])
    expect(await other.claim(key(), { ...lease, member: 'm' })).toEqual([])
    clock.set(clock.now() + 999)
    expect(await other.claim(key(), lease)).toEqual([])
    clock.set(clock.now() + 1)
    expect(await other.claim(key(), lease)).toEqual(['m'])
  })

  test('a member is there once: scheduling it again moves it, unscheduling removes it', async () => {
    const { store, clock, key } = await fixture()
    const now = clock.now()
    await store.schedule(key(), 'm', now)
    await store.schedule(key(), 'm', now + 5)
    expect(await store.claim(key(), lease)).toEqual([])
    clock.set(now + 5)
    expect(await store.claim(key(), lease)).toEqual(['m'])
    await store.schedule(key(), 'm', now + 5)
    expect(await store.claim(key(), lease)).toEqual(['m'])
    await store.unschedule(key(), 'm')
    await store.unschedule(key(), 'm')
    clock.set(now + 10_000)
    expect(await store.claim(key(), lease)).toEqual([])
  })

  test('one member can be claimed by name, if it is due', async () => {
    const { store, clock, key } = await fixture()
    await store.schedule(key(), 'a', clock.now())
    await store.schedule(key(), 'b', clock.now())
    await store.schedule(key(), 'c', clock.now() + 1)
    expect(await store.claim(key(), { ...lease, member: 'b' })).toEqual(['b'])
    expect(await store.claim(key(), { ...lease, member: 'c' })).toEqual([])
    expect(await store.claim(key(), { ...lease, member: 'd' })).toEqual([])
    expect(await store.claim(key('other'), { ...lease, member: 'a' })).toEqual([])
    expect(await store.claim(key(), lease)).toEqual(['a'])
  })

  test.each([0, -1, 1.5, 1_001, NaN])('a claim of %j members is refused', async (limit) => {
    const { store, key } = await fixture()
    await expect(store.claim(key(), { leaseMs: 1, limit })).rejects.toMatchObject({ field: 'limit' })
  })
}

function wakeUps(fixture: () => Promise<Fixture>, wakesOthers: () => boolean): void {
  test('publish wakes the subscribers of the topic, each once, until they leave', async () => {
    const { store, key } = await fixture()
    const woken: string[] = []
    const subscribe = async (topic: string, name: string): Promise<() => Promise<void>> => {
      const leave = await store.subscribe(topic, () => woken.push(name))
      onTestFinished(leave)
      return leave
    }
    await subscribe(key('a'), 'a1')
    const leave = await subscribe(key('a'), 'a2')
    await subscribe(key('b'), 'b')
    await store.publish(key('a'))
    await expect.poll(() => [...woken].sort()).toEqual(['a1', 'a2'])
    await leave()
    await store.publish(key('a'))
    await store.publish(key('b'))
    await expect.poll(() => [...woken].sort()).toEqual(['a1', 'a1', 'a2', 'b'])
  })

  test('publish wakes the subscribers of other stores on the same data, where the adapter can', async (context) => {
    context.skip(!wakesOthers(), 'this adapter wakes its own process only: waiters look again every second')
    const { store, other, key } = await fixture()
    for (const [from, to] of [
      [store, other],
      [other, store],
    ] as const) {
      const woken: string[] = []
      onTestFinished(await to.subscribe(key('\u0000'), () => woken.push('right')))
      onTestFinished(await to.subscribe(key('x'), () => woken.push('wrong')))
      await from.publish(key('\u0000'))
      await expect.poll(() => woken).toEqual(['right'])
    }
  })
}

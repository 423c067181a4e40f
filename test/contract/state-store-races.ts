import { expect, test } from 'vitest'
import type { Fixture } from './state-store.js'

const minute = { ttlMs: 60_000 }

/** Fifty at once, through two stores on the same data. */
export function stateStoreRaces(fixture: () => Promise<Fixture>): void {
  async function fifty<T>(
    { store, other }: Fixture,
    act: (by: Fixture['store'], n: number) => Promise<T>,
  ): Promise<T[]> {
    return Promise.all(Array.from({ length: 50 }, (_, n) => act(n % 2 === 0 ? store : other, n)))
  }

  test('of 50 simultaneous takes one gets the record [SC 96]', async () => {
    const f = await fixture()
    await f.store.put(f.key(), 'prize', minute)
    const taken = await fifty(f, (store) => store.take(f.key()))
    expect(taken.filter((record) => record !== undefined)).toMatchObject([{ value: 'prize' }])
  })

  test('of 50 simultaneous putIfAbsents one writes, also over a record that ended [SC 96]', async () => {
    const f = await fixture()
    for (let round = 0; round < 2; round += 1) {
      const wrote = await fifty(f, (store, n) => store.putIfAbsent(f.key(), n, minute))
      expect(wrote.filter(Boolean)).toHaveLength(1)
      expect((await f.store.get(f.key()))!.value).toBe(wrote.indexOf(true))
      f.clock.set(f.clock.now() + 60_000)
    }
  })

  test('of 50 simultaneous updates from one version one succeeds [SC 96]', async () => {
    const f = await fixture()
    await f.store.put(f.key(), 'old', minute)
    const { version } = (await f.store.get(f.key()))!
    const updated = await fifty(f, (store, n) => store.update(f.key(), version, n))
    expect(updated.filter(Boolean)).toHaveLength(1)
    expect((await f.store.get(f.key()))!.value).toBe(updated.indexOf(true))
  })

  test('no increment of 50 gets lost, and each sees a count of its own [SC 96]', async () => {
    const f = await fixture()
    for (let round = 0; round < 2; round += 1) {
      const counters = await fifty(f, (store) => store.increment(f.key(), { windowMs: 1_000 }))
      expect(counters.map(({ count }) => count).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 50 }, (_, n) => n + 1),
      )
      expect(new Set(counters.map(({ resetsAt }) => resetsAt)).size).toBe(1)
      f.clock.set(f.clock.now() + 1_000)
    }
  })

  test('of 50 workers each gets members of its own, and together they get all [SC 96]', async () => {
    const f = await fixture()
    const members = Array.from({ length: 80 }, (_, n) => `member ${n}`)
    await Promise.all(members.map((member) => f.store.schedule(f.key(), member, f.clock.now())))
    const claims = await fifty(f, (store) => store.claim(f.key(), { leaseMs: 60_000, limit: 3 }))
    for (const claim of claims) expect(claim.length).toBeLessThanOrEqual(3)
    const rest = await f.store.claim(f.key(), { leaseMs: 60_000, limit: 100 })
    expect([...claims.flat(), ...rest].sort()).toEqual([...members].sort())
  })

  test('of 50 workers that want one member one gets it [SC 96]', async () => {
    const f = await fixture()
    await f.store.schedule(f.key(), 'm', f.clock.now())
    const claims = await fifty(f, (store) => store.claim(f.key(), { leaseMs: 60_000, limit: 1, member: 'm' }))
    expect(claims.flat()).toEqual(['m'])
  })

  test('a record that is taken and replaced at once is never both [SC 96]', async () => {
    const f = await fixture()
    for (let round = 0; round < 10; round += 1) {
      await f.store.put(f.key(), 'old', minute)
      const { version } = (await f.store.get(f.key()))!
      const [taken, updated] = await Promise.all([f.store.take(f.key()), f.other.update(f.key(), version, 'new')])
      const left = await f.store.get(f.key())
      expect(taken).toBeDefined()
      expect(left).toBeUndefined()
      expect(taken!.value).toBe(updated ? 'new' : 'old')
    }
  })
}

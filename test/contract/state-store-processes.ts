import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { storeProcess, type StoreProcess } from '../support/store-process.js'
import { openStore, type OpenStore, type StorePlace } from '../support/store-process/open.js'
import { waitFor } from '../support/wait-for.js'

const hour = { ttlMs: 3_600_000 }
const soon = (): number => Date.now() + 100

/** The promises of the port between processes, two of them beside the test's own. */
export function storeProcessesContract(
  name: string,
  options: { readonly place: () => Promise<StorePlace>; readonly wakesOthers: boolean },
): void {
  describe(`${name} in several processes`, () => {
    const run = `${Date.now().toString(36)}.`
    let place: StorePlace
    let here: OpenStore
    let others: StoreProcess[]
    beforeAll(async () => {
      place = await options.place()
      here = await openStore(place)
      others = await Promise.all([storeProcess(place), storeProcess(place)])
    })
    afterAll(async () => {
      await Promise.all(others.map((other) => other.kill()))
      await here.close()
    })

    async function both<T>(schema: z.ZodType<T>, task: Parameters<StoreProcess['run']>[0]): Promise<T[]> {
      const results = await Promise.all(others.map((other) => other.run(task)))
      return results.map((result) => schema.parse(result))
    }

    test('of 50 takes by two processes one gets the record [SC 96]', async () => {
      for (let round = 0; round < 3; round += 1) {
        const key = `${run}take${round}`
        await here.store.put(key, 'prize', hour)
        const taken = await both(z.array(z.string().nullable()), { do: 'take', key, times: 25, at: soon() })
        expect(taken.flat().filter((value) => value !== null)).toEqual(['prize'])
      }
    })

    test('no increment of two processes gets lost [SC 96]', async () => {
      const counts = await both(z.array(z.number()), { do: 'count', key: `${run}count`, times: 25, at: soon() })
      expect(counts.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1))
    })

    test('two processes claim different members, and together all [SC 96]', async () => {
      const members = Array.from({ length: 60 }, (_, n) => `m${n}`)
      await Promise.all(members.map((member) => here.store.schedule(`${run}queue`, member, 0)))
      const schema = z.array(z.array(z.string()))
      const claimed = (await both(schema, { do: 'claim', queue: `${run}queue`, times: 25, at: soon() })).flat(2)
      const rest = await here.store.claim(`${run}queue`, { leaseMs: 60_000, limit: 100 })
      expect([...claimed, ...rest].sort()).toEqual(members.sort())
    })

    test.runIf(options.wakesOthers)('a wake-up reaches the other processes', async () => {
      let woken = 0
      onTestFinished(await here.store.subscribe(`${run}topic`, () => (woken += 1)))
      await others[0]!.run({ do: 'publish', topic: `${run}topic` })
      await waitFor(() => woken)
    })

    test('kill -9 under load loses no write that was acknowledged', async () => {
      const writer = await storeProcess(place)
      onTestFinished(() => writer.kill())
      writer.begin({ do: 'write for ever', prefix: `${run}load` })
      await waitFor(() => writer.acknowledged > 30, { timeoutMs: 15_000 })
      await writer.kill()
      expect(writer.acknowledged).toBeGreaterThan(30)
      for (let n = 0; n < writer.acknowledged; n += 1) {
        expect((await here.store.get(`${run}load${n}`))?.value).toBe(n)
      }
    })
  })
}

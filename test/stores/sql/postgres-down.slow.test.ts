import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { storeProcessesContract } from '../../contract/state-store-processes.js'
import { describeWith, privatePostgres, sharedPostgres, type Service } from '../../support/services.js'
import { openStore } from '../../support/store-process/open.js'
import { waitFor } from '../../support/wait-for.js'

const hour = { ttlMs: 3_600_000 }

describeWith('postgres', 'PostgreSQL', () => {
  storeProcessesContract('SqlStateStore on PostgreSQL', {
    place: async () => ({ kind: 'postgres', at: await sharedPostgres() }),
    wakesOthers: true,
  })
})

describeWith('postgres', 'a PostgreSQL that goes down', () => {
  let server: Service
  beforeAll(async () => {
    server = await privatePostgres()
  })
  afterAll(() => server.dispose())

  test('fails every call with StoreUnavailableError while it is down, then all goes on, wake-ups too [SC 98]', async () => {
    const { store, close } = await openStore({ kind: 'postgres', at: server.url })
    onTestFinished(close)
    let woken = 0
    onTestFinished(await store.subscribe('t', () => (woken += 1)))
    await store.put('kept', 'before', hour)
    await store.increment('attempts', { windowMs: 3_600_000 })
    // As a crash: nobody is told, nothing is flushed.
    await server.stop('SIGQUIT')
    for (const call of [
      store.get('kept'),
      store.take('kept'),
      store.put('lost', 1, hour),
      store.increment('attempts', { windowMs: 3_600_000 }),
      store.claim('q', { leaseMs: 1, limit: 1 }),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    }
    await store.publish('t')
    // Publishing wakes this process in any case; that it listens again is told by the wake-up of all who waited, which may
    // come before the store answers.
    woken = 0
    await server.start()
    await waitFor(() => store.get('kept'), { timeoutMs: 15_000 })
    expect((await store.get('kept'))!.value).toBe('before')
    expect(await store.increment('attempts', { windowMs: 3_600_000 })).toMatchObject({ count: 2 })
    await waitFor(() => woken, { timeoutMs: 15_000, message: 'nobody was woken after the interruption' })
  })
})

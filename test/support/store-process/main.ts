import { openStore, type OpenStore, type StorePlace } from './open.js'

/** What the test asks this process to do. Each is answered by a message with the same id. */
export interface StoreTask {
  readonly id: number
  readonly task:
    | { readonly do: 'open'; readonly place: StorePlace }
    | { readonly do: 'take'; readonly key: string; readonly times: number; readonly at: number }
    | { readonly do: 'count'; readonly key: string; readonly times: number; readonly at: number }
    | { readonly do: 'claim'; readonly queue: string; readonly times: number; readonly at: number }
    | { readonly do: 'put'; readonly key: string; readonly value: string }
    | { readonly do: 'publish'; readonly topic: string }
    | { readonly do: 'write for ever'; readonly prefix: string }
}

let opened: OpenStore | undefined
const hour = { ttlMs: 3_600_000 }

// Both processes begin at the same moment, or there would be no race.
async function together<T>(at: number, times: number, act: () => Promise<T>): Promise<T[]> {
  await new Promise((resolve) => setTimeout(resolve, at - Date.now()))
  return Promise.all(Array.from({ length: times }, act))
}

async function perform({ task }: StoreTask): Promise<unknown> {
  if (task.do === 'open') {
    opened = await openStore(task.place)
    return 'open'
  }
  if (opened === undefined) throw new Error('no store is open')
  const { store } = opened
  switch (task.do) {
    case 'take':
      return together(task.at, task.times, async () => (await store.take(task.key))?.value ?? null)
    case 'count':
      return together(task.at, task.times, async () => (await store.increment(task.key, { windowMs: 60_000 })).count)
    case 'claim':
      return together(task.at, task.times, () => store.claim(task.queue, { leaseMs: 60_000, limit: 2 }))
    case 'put':
      await store.put(task.key, task.value, hour)
      return 'written'
    case 'publish':
      await store.publish(task.topic)
      return 'published'
    case 'write for ever':
      for (let n = 0; ; n += 1) {
        await store.put(`${task.prefix}${n}`, n, hour)
        process.send?.({ acknowledged: n })
      }
  }
}

process.on('message', (message: StoreTask) => {
  perform(message).then(
    (result) => process.send?.({ id: message.id, result }),
    (error: unknown) => process.send?.({ id: message.id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())

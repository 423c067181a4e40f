import { Kysely } from 'kysely'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { migrateToLatest, sqliteDialect } from 'passport-outofband/stores/sql'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../support/temporary.js'
import { waitFor } from '../support/wait-for.js'
import { apiKey, callbackUrl, posted, send, sentAt } from './one-touch-support.js'

async function database(): Promise<string> {
  const file = join(temporaryFolder(), 'state.db')
  const db = new Kysely<unknown>({ dialect: sqliteDialect({ file }) })
  await migrateToLatest({ db })
  await db.destroy()
  return file
}

async function receiver(
  file: string,
  dies = '',
): Promise<{ readonly origin: string; readonly events: readonly unknown[] }> {
  const env = {
    ...process.env,
    FILE: file,
    KEY: apiKey,
    URL_OF_CALLBACK: callbackUrl,
    SENT_AT: String(sentAt),
    DIES: dies,
  }
  const child = fork(new URL('one-touch-process.ts', import.meta.url), { env, execArgv: ['--import', 'tsx'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [port] = (await once(child, 'message')) as [number]
  const events: unknown[] = []
  child.on('message', (id) => events.push(id))
  return { origin: `http://127.0.0.1:${port}`, events }
}

test('a delivery that one process took is a repeat for the other [SC 45]', async () => {
  const file = await database()
  const [first, second] = await Promise.all([receiver(file), receiver(file)])
  for (const { origin } of [first, second, second, first]) {
    expect(await send(origin, posted())).toMatchObject({ status: 200, body: '' })
  }
  await waitFor(() => first.events.length === 1)
  expect(second.events).toEqual([])
})

test('a process that dies between verify and remember loses no event [SC 48]', async () => {
  const file = await database()
  const [doomed, other] = await Promise.all([receiver(file, 'yes'), receiver(file)])
  await expect(send(doomed.origin, posted())).rejects.toThrow()
  expect(await send(other.origin, posted())).toMatchObject({ status: 200 })
  await waitFor(() => other.events.length === 1)
})

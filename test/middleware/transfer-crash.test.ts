import { Kysely } from 'kysely'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { migrateToLatest, sqliteDialect, SqlStateStore } from 'passport-outofband/stores/sql'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../support/temporary.js'
import { transferApp, type TransferApp } from './transfer-app.js'

async function node(file: string, dies: string): Promise<{ readonly url: string; readonly gone: Promise<unknown> }> {
  const env = { ...process.env, FILE: file, DIES: dies }
  const child = fork(new URL('transfer-process.ts', import.meta.url), { env, execArgv: ['--import', 'tsx'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const gone = once(child, 'exit')
  const [url] = (await once(child, 'message')) as [string]
  return { url, gone }
}

async function post(url: string, token = ''): Promise<{ status: number; body: Record<string, string> }> {
  const headers = {
    'content-type': 'application/json',
    'x-user': 'alice',
    'x-jti': 'jti-1',
    ...(token !== '' && { 'approval-token': token }),
  }
  const body = JSON.stringify({ amountCents: '1000', payee: 'Bob' })
  const response = await fetch(`${url}/transfers`, { method: 'POST', headers, body })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

test('kill -9 between redeem and transfer never leads to a second execution, on any node [SC 29]', async () => {
  const file = join(temporaryFolder(), 'state.db')
  const db = new Kysely({ dialect: sqliteDialect({ file }) })
  await migrateToLatest({ db: db })
  const here: TransferApp = await transferApp({ state: new SqlStateStore({ db: db }) })
  onTestFinished(async () => {
    await here.close()
    await db.destroy()
  })
  const [doomed, heir] = await Promise.all([node(file, 'yes'), node(file, '')])

  const token = (await post(here.url)).body['approval_token']!
  await here.decide('approved')
  await expect(post(doomed.url, token)).rejects.toThrow()
  await doomed.gone
  const retries = await Promise.all([here.url, heir.url, here.url, heir.url].map((url) => post(url, token)))
  expect(retries.map(({ status, body }) => [status, body['error']])).toEqual(
    Array.from({ length: 4 }, () => [409, 'approval_used']),
  )
  expect(here.executed).toEqual([])
})

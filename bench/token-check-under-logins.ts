import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { argon2Hasher } from 'passport-outofband/users'
import { type Figure, type Measured, summary } from './harness.js'
import { benchService } from './users-service.js'

const LOGINS_PER_SECOND = 50
const SECONDS = 6
const PAIRS = 5
const PASSWORD = 'a rather long passphrase'

type Login = (index: number) => Promise<unknown>

/**
 * The 99th percentile of token checks, in milliseconds, while 50 logins come in at once every second. The checks begin
 * every five milliseconds, whether or not the one before has ended: as requests do.
 */
async function p99(check: () => Promise<void>, login: Login): Promise<number> {
  const logins: Promise<unknown>[] = []
  const checks: Promise<number>[] = []
  const start = performance.now()
  const timed = async (): Promise<number> => {
    const before = performance.now()
    await check()
    return performance.now() - before
  }
  for (let second = 0; second < SECONDS; second += 1) {
    for (let index = 0; index < LOGINS_PER_SECOND; index += 1) logins.push(login(index))
    while (performance.now() - start < (second + 1) * 1000) {
      checks.push(timed())
      await delay(5)
    }
  }
  await Promise.all(logins)
  const samples = await Promise.all(checks)
  return samples.sort((a, b) => a - b)[Math.floor(samples.length * 0.99)] ?? Number.NaN
}

async function measure(): Promise<Measured> {
  const hasher = argon2Hasher()
  const hash = await hasher.hash(PASSWORD)
  const { service, addUser } = benchService({ passwords: { maxWaiting: 100_000 } })
  const ids: number[] = []
  for (let index = 0; index < 100; index += 1) ids.push(await addUser(`user-${index}`, hash))
  const server = createServer((req, res) => service(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth/login/`
  // A token that was never seen before each time: its signature is computed, which takes the thread pool.
  const check = async (): Promise<void> => {
    const token = (await service.tokens.issue(ids[Math.floor(Math.random() * ids.length)] ?? 1)) ?? ''
    if (!(await service.tokens.verify(token)).ok) throw new Error('refused')
  }
  const queued: Login = async (index) => {
    const body = JSON.stringify({ email: `user-${index % 100}@example.com`, password: PASSWORD })
    const reply = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    if (!reply.ok) throw new Error(await reply.text())
    await reply.arrayBuffer()
  }
  const unqueued: Login = () => hasher.verify(hash, PASSWORD)
  const quotients: number[] = []
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const [first, second] = pair % 2 === 0 ? [queued, unqueued] : [unqueued, queued]
    const before = await p99(check, first)
    const after = await p99(check, second)
    quotients.push(pair % 2 === 0 ? before / after : after / before)
  }
  server.close()
  return summary(quotients)
}

export const tokenCheckUnderLogins: Figure = {
  name: 'token-check-under-logins',
  what: 'the p99 of a token check (issuing it included) while 50 logins a second are hashed (all 50 at once), as a part of the same with as many hashes that do not queue',
  unit: 'of the p99 without the queue',
  atMost: 0.25,
  measure,
}

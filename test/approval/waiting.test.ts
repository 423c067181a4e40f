import { setMaxListeners } from 'node:events'
import { createApprovals, ProviderRateLimitedError } from 'passport-outofband'
import { MemoryStateStore } from 'passport-outofband/stores'
import { expect, test } from 'vitest'
import { settle } from '../support/test-runtime.js'
import { approvalsForTest, login } from './support.js'

test('however many wait, the provider is asked once an interval, by one of all processes [SC 38]', async () => {
  const { approvals, another, channel, clock } = approvalsForTest()
  const started = await approvals.start(login)
  const processes = [approvals, another(), another()]
  const waits = processes.flatMap((process) =>
    Array.from({ length: 100 }, () => process.wait(started, { timeoutMs: 60_000 })),
  )
  await clock.advance(20_000)
  // 2 s each, and up to a fifth of jitter: 8 to 10 looks in 20 s.
  expect(channel.checks).toBeGreaterThanOrEqual(8)
  expect(channel.checks).toBeLessThanOrEqual(10)
  channel.answer('approved')
  await clock.advance(4_000)
  const views = await Promise.all(waits)
  expect(views.every((view) => view.status === 'approved')).toBe(true)
})

test('a callback wakes all who wait at once, without another question to the provider', async () => {
  const { approvals, another, channel, clock } = approvalsForTest()
  const started = await approvals.start(login)
  const waits = [approvals.wait(started), approvals.wait(started), another().wait(started)]
  await settle()
  const before = clock.now()
  await approvals.settle({ channel: 'test', reference: channel.newest, recipientReference: '1635', status: 'denied' })
  for (const view of await Promise.all(waits)) expect(view.status).toBe('denied')
  expect(clock.now()).toBe(before)
  expect(channel.checks).toBe(0)
})

test('a wake-up that got lost is made up for within a second', async () => {
  const { runtime, clock } = approvalsForTest()
  class DeafStore extends MemoryStateStore {
    override async subscribe(): Promise<() => Promise<void>> {
      return async () => undefined
    }
  }
  const { channel } = approvalsForTest()
  const state = new DeafStore({ runtime: { now: runtime.now } })
  const approvals = createApprovals({ state, channels: [channel], runtime: { now: runtime.now, sleep: runtime.sleep } })
  const started = await approvals.start(login)
  const waiting = approvals.wait(started)
  await settle()
  await approvals.settle({ channel: 'test', reference: channel.newest, recipientReference: '1635', status: 'approved' })
  await clock.advance(1_000)
  await expect(waiting).resolves.toMatchObject({ status: 'approved' })
})

test('a wait ends with its time or its signal, and the last one to go leaves nothing behind [SC 38]', async () => {
  const { approvals, clock } = approvalsForTest()
  const started = await approvals.start(login)
  const short = approvals.wait(started, { timeoutMs: 3_000 })
  const abort = new AbortController()
  const aborted = approvals.wait(started, { signal: abort.signal })
  await clock.advance(3_000)
  await expect(short).resolves.toMatchObject({ status: 'pending' })
  abort.abort(new Error('the tab is gone'))
  await expect(aborted).rejects.toThrow('the tab is gone')
  await clock.advance(5_000)
  expect(clock.sleeping).toBe(0)
})

test('1,000 abandoned waits leave no timer behind [SC 38]', async () => {
  const { approvals, clock } = approvalsForTest()
  const handles = await Promise.all(
    Array.from({ length: 1_000 }, (_, index) =>
      approvals.start({ ...login, subject: `user-${index}`, reference: `${index + 1}` }),
    ),
  )
  const abort = new AbortController()
  setMaxListeners(0, abort.signal)
  const waits = handles.map((handle) => approvals.wait(handle, { signal: abort.signal }))
  await settle()
  abort.abort(new Error('gone'))
  const outcomes = await Promise.allSettled(waits)
  expect(outcomes.every((outcome) => outcome.status === 'rejected')).toBe(true)
  await clock.advance(1_000)
  expect(clock.sleeping).toBe(0)
})

test('Retry-After of the provider is obeyed', async () => {
  const { approvals, channel, clock } = approvalsForTest()
  const started = await approvals.start(login)
  channel.failing.check = new ProviderRateLimitedError('test', { status: 429, retryAfterMs: 30_000 })
  void approvals.wait(started, { timeoutMs: 100_000 })
  await clock.advance(3_000)
  expect(channel.checks).toBe(1)
  await clock.advance(28_500)
  expect(channel.checks).toBe(1)
  delete channel.failing.check
  await clock.advance(1_500)
  expect(channel.checks).toBe(2)
})

test('a login begun before a restart is finished after it, by whoever comes first', async () => {
  const { approvals, another, channel, clock } = approvalsForTest()
  const started = await approvals.start(login)
  channel.answer('approved')
  // The first process is gone: nobody waits there. A new one does the background work.
  const restarted = another()
  const stop = new AbortController()
  const running = restarted.run({ signal: stop.signal })
  await clock.advance(3_000)
  expect(await restarted.status(started)).toMatchObject({ status: 'approved' })
  stop.abort()
  await running
})

test('a process that died while it asked the provider is made up for when its lease ends', async () => {
  const { approvals, another, channel, clock, state } = approvalsForTest()
  const started = await approvals.start(login)
  channel.answer('approved')
  await clock.advance(2_500)
  // What a process does before it dies: it claims the approval and is never heard of again.
  expect(await state.claim('approvals', { leaseMs: 10_000, limit: 5 })).toEqual([started.id])
  const waiting = another().wait(started)
  await clock.advance(9_000)
  expect(channel.checks).toBe(0)
  await clock.advance(3_000)
  await expect(waiting).resolves.toMatchObject({ status: 'approved' })
})

test('a process that died between storing a start and its outcome leaves a failed approval, not a push too many', async () => {
  const { approvals, another, channel, clock } = approvalsForTest()
  const never = new Promise<never>(() => undefined)
  channel.start = () => never
  void approvals.start(login)
  await settle()
  const stop = new AbortController()
  const running = another().run({ signal: stop.signal })
  await clock.advance(61_000)
  stop.abort()
  await running
  expect(channel.questions.size).toBe(0)
})

test('an unsigned hint makes us ask the provider once a second at most, and is never believed', async () => {
  const { approvals, channel } = approvalsForTest()
  const started = await approvals.start(login)
  const hint = { channel: 'test', reference: channel.newest }
  await Promise.all(Array.from({ length: 20 }, () => approvals.nudge(hint)))
  await approvals.nudge({ channel: 'test', reference: 'never-begun' })
  expect(channel.checks).toBe(1)
  expect(await approvals.status(started)).toMatchObject({ status: 'pending' })
})

import { ApprovalLimitedError, type StartRequest } from 'passport-outofband'
import { expect, test } from 'vitest'
import { aliceLogin, approvalsForTest, login } from './support.js'
import { TestChannel } from './test-channel.js'

async function limit(start: Promise<unknown>): Promise<Pick<ApprovalLimitedError, 'reason' | 'retryAfterSeconds'>> {
  const error: unknown = await start.catch((reason: unknown) => reason)
  if (!(error instanceof ApprovalLimitedError)) throw new Error('the start was not limited', { cause: error })
  return { reason: error.reason, retryAfterSeconds: error.retryAfterSeconds }
}

test('one session asking again gets its own pending approval, and the phone no second push [SC 33]', async () => {
  const { approvals, channel } = approvalsForTest()
  const first = await approvals.start(login)
  const again = await approvals.start({ ...login, previous: first })
  expect(again).toMatchObject({ id: first.id, secret: first.secret, reused: true })
  expect(channel.questions.size).toBe(1)
})

test('of 100 starts from as many sessions one push goes out; the others are told when to come again [SC 33]', async () => {
  const { approvals, channel } = approvalsForTest()
  const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => approvals.start(login)))
  expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
  expect(channel.questions.size).toBe(1)
  expect(await limit(approvals.start(login))).toEqual({ reason: 'pending-elsewhere', retryAfterSeconds: 120 })
})

test('a stolen or foreign `previous` does not open the way for another push [SC 28, 33]', async () => {
  const { approvals, channel } = approvalsForTest()
  const first = await approvals.start(login)
  const foreign = { id: first.id, secret: 'guess' }
  expect(await limit(approvals.start({ ...login, previous: foreign }))).toMatchObject({ reason: 'pending-elsewhere' })
  expect(channel.questions.size).toBe(1)
})

test('where the channel can cancel, asking for something else replaces the older question', async () => {
  const { approvals, channel } = approvalsForTest({ channel: new TestChannel({ cancels: true }) })
  const transfer: StartRequest = { ...login, purpose: 'transfer', bound: { amount: 1 }, message: 'Pay 1?' }
  const first = await approvals.start(transfer)
  const second = await approvals.start({ ...transfer, bound: { amount: 2 }, message: 'Pay 2?', previous: first })
  expect(second.reused).toBe(false)
  expect(channel.question('question-1').cancelled).toBe(true)
  expect(await approvals.status(first)).toMatchObject({ status: 'cancelled' })
})

test('where it can not, the older question is dead for us and the slot stays taken until it is gone from the phone', async () => {
  const { approvals, channel, clock } = approvalsForTest()
  const transfer: StartRequest = { ...login, purpose: 'transfer', bound: { amount: 1 }, message: 'Pay 1?' }
  const first = await approvals.start(transfer)
  const other = { ...transfer, bound: { amount: 2 }, message: 'Pay 2?', previous: first }
  expect(await limit(approvals.start(other))).toEqual({ reason: 'pending-elsewhere', retryAfterSeconds: 120 })
  channel.answer('approved')
  await approvals.settle({ channel: 'test', reference: 'question-1', recipientReference: '1635', status: 'approved' })
  expect(await approvals.status(first)).toMatchObject({ status: 'cancelled' })
  await clock.advance(120_001)
  await expect(approvals.start(other)).resolves.toMatchObject({ status: 'pending' })
})

test('a cancel that the provider did not take at once is tried again in the background', async () => {
  const { approvals, channel, clock } = approvalsForTest({ channel: new TestChannel({ cancels: true }) })
  const started = await approvals.start(login)
  channel.failing.cancel = new Error('down')
  await approvals.cancel(started)
  expect(await limit(approvals.start(login))).toMatchObject({ reason: 'pending-elsewhere' })
  delete channel.failing.cancel
  const stop = new AbortController()
  const running = approvals.run({ signal: stop.signal })
  await clock.advance(7_000)
  stop.abort()
  await running
  expect(channel.question('question-1').cancelled).toBe(true)
  await expect(approvals.start(login)).resolves.toMatchObject({ status: 'pending' })
})

test('a denial is followed by a pause that grows, and ends with an approval [SC 32]', async () => {
  const { approvals, channel, clock } = approvalsForTest({
    policy: { budget: [{ max: 100, windowSeconds: 600 }], denialPause: { firstSeconds: 30, maxSeconds: 100 } },
  })
  const pushAnd = async (status: 'approved' | 'denied') => {
    const started = await approvals.start(login)
    const settlement = { channel: 'test', reference: channel.newest, recipientReference: '1635', status }
    // However often it is told, it is one denial.
    await approvals.settle(settlement)
    await approvals.settle(settlement)
    return started
  }
  for (const seconds of [30, 60, 100, 100]) {
    await pushAnd('denied')
    expect(await limit(approvals.start(login))).toEqual({ reason: 'after-denial', retryAfterSeconds: seconds })
    await clock.advance(seconds * 1000)
  }
  await approvals.redeem({ ...(await pushAnd('approved')), ...aliceLogin })
  await pushAnd('denied')
  expect(await limit(approvals.start(login))).toEqual({ reason: 'after-denial', retryAfterSeconds: 30 })
})

test('the budget counts the pushes to one person over all sessions, and starts anew with an approval [SC 33]', async () => {
  const { approvals, channel, clock } = approvalsForTest()
  for (let push = 0; push < 3; push += 1) {
    await approvals.start(login)
    await clock.advance(121_000)
  }
  expect(await limit(approvals.start(login))).toEqual({ reason: 'budget', retryAfterSeconds: 600 - 363 })
  // Somebody else is not concerned.
  await expect(approvals.start({ ...login, subject: 'bob', reference: '7' })).resolves.toBeDefined()
  await clock.advance(240_000)
  await approvals.start(login)
  const last = { channel: 'test', reference: channel.newest, recipientReference: '1635', status: 'approved' as const }
  await approvals.settle(last)
  for (let push = 0; push < 3; push += 1) {
    await approvals.start(login)
    await clock.advance(121_000)
  }
})

test.each(['a callback', 'a poll'])('an approval that %s reports as suspicious is none [SC 31, 32]', async (how) => {
  const { approvals, channel, clock } = approvalsForTest()
  const started = await approvals.start(login)
  const settlement = { channel: 'test', reference: channel.newest, recipientReference: '1635' }
  if (how === 'a callback') await approvals.settle({ ...settlement, status: 'approved', reported: true })
  else {
    channel.answer('approved')
    channel.question(channel.newest).reported = true
    const waiting = approvals.wait(started)
    await clock.advance(2_000)
    await waiting
  }
  expect((await approvals.status(started)).status).toBe('denied')
  await expect(approvals.redeem({ ...started, ...aliceLogin })).rejects.toMatchObject({ reason: 'denied' })
  expect(await limit(approvals.start(login))).toMatchObject({ reason: 'locked' })
})

test('"this was not me" stops pushes to that person until a stronger factor undoes it [SC 32]', async () => {
  const { approvals, channel, clock } = approvalsForTest()
  await approvals.start(login)
  const settlement = { channel: 'test', reference: channel.newest, recipientReference: '1635' }
  await approvals.settle({ ...settlement, status: 'denied', reported: true })
  await clock.advance(30 * 86_400_000)
  expect(await limit(approvals.start(login))).toEqual({ reason: 'locked', retryAfterSeconds: undefined })
  await approvals.unlockPush({ channel: 'test', reference: '1635' })
  await expect(approvals.start(login)).resolves.toMatchObject({ status: 'pending' })
})

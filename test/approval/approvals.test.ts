import diagnostics from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import {
  ApprovalNotFoundError,
  createApprovals,
  InvalidOptionError,
  ProviderRejectedError,
  ProviderTimeoutError,
  type ApprovalEvent,
  type StartRequest,
} from 'passport-outofband'
import { MemoryStateStore } from 'passport-outofband/stores'
import { describe, expect, test } from 'vitest'
import { aliceLogin, approvalsForTest, login } from './support.js'
import { TestChannel } from './test-channel.js'

const coded = (code: string, fields: object = {}): unknown => expect.objectContaining({ code, ...fields })

test('a push that is approved is found by the poller, and redeemed once', async () => {
  const { approvals, channel, clock } = approvalsForTest()
  const started = await approvals.start(login)
  expect(started).toMatchObject({ status: 'pending', reused: false, needed: 1, given: 0 })
  const waiting = approvals.wait(started)
  await clock.advance(1_000)
  channel.answer('approved')
  await clock.advance(3_000)
  await expect(waiting).resolves.toMatchObject({ status: 'approved', given: 1 })

  const redeemed = await approvals.redeem({ ...started, ...aliceLogin })
  expect(redeemed).toMatchObject({ id: started.id, subject: 'alice', factor: 'push', amr: ['mca'], proof: 'approve' })
  expect(redeemed.approvedBy).toEqual([{ subject: 'alice', reference: '1635' }])
  await expect(approvals.redeem({ ...started, ...aliceLogin })).rejects.toEqual(
    coded('ERR_APPROVAL_NOT_REDEEMABLE', { reason: 'redeemed' }),
  )
})

test('of 50 simultaneous redeems one gets the approval [SC 29, 96]', async () => {
  const { approvals, channel } = approvalsForTest()
  const started = await approvals.start(login)
  await approvals.settle({ channel: 'test', reference: channel.newest, recipientReference: '1635', status: 'approved' })
  const outcomes = await Promise.allSettled(
    Array.from({ length: 50 }, () => approvals.redeem({ ...started, ...aliceLogin })),
  )
  expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
})

test('an approval is good for its purpose, subject and bound data only, and a wrong try does not use it up [SC 28]', async () => {
  const { approvals, channel } = approvalsForTest()
  const request: StartRequest = { ...login, purpose: 'transfer', bound: { amount: 100, payee: 'Bob' } }
  const started = await approvals.start(request)
  await approvals.settle({ channel: 'test', reference: channel.newest, recipientReference: '1635', status: 'approved' })
  const wrong = coded('ERR_APPROVAL_NOT_REDEEMABLE', { reason: 'binding' })
  const good = { ...started, subject: 'alice', purpose: 'transfer', bound: { amount: 100, payee: 'Bob' } }
  await expect(approvals.redeem({ ...good, bound: { amount: 1000, payee: 'Bob' } })).rejects.toEqual(wrong)
  await expect(approvals.redeem({ ...good, subject: 'bob' })).rejects.toEqual(wrong)
  await expect(approvals.redeem({ ...good, purpose: 'login' })).rejects.toEqual(wrong)
  await expect(approvals.redeem({ ...started, subject: 'alice', purpose: 'transfer' })).rejects.toEqual(wrong)
  // The order of the names is no part of what was approved.
  await expect(approvals.redeem({ ...good, bound: { payee: 'Bob', amount: 100 } })).resolves.toMatchObject({
    id: started.id,
  })
})

test('another session learns and does nothing, even with the id [SC 28]', async () => {
  const { approvals, channel } = approvalsForTest()
  const started = await approvals.start(login)
  await approvals.settle({ channel: 'test', reference: channel.newest, recipientReference: '1635', status: 'approved' })
  for (const secret of ['', 'x', started.id, started.secret.slice(1), `${started.secret}=`]) {
    const handle = { id: started.id, secret }
    await expect(approvals.status(handle)).rejects.toThrow(ApprovalNotFoundError)
    await expect(approvals.wait(handle)).rejects.toThrow(ApprovalNotFoundError)
    await expect(approvals.cancel(handle)).rejects.toThrow(ApprovalNotFoundError)
    await expect(approvals.redeem({ ...handle, ...aliceLogin })).rejects.toThrow(ApprovalNotFoundError)
  }
  await expect(approvals.status({ id: 'nobody', secret: started.secret })).rejects.toThrow(ApprovalNotFoundError)
  await expect(approvals.status({ id: ['x'], secret: {} } as never)).rejects.toThrow(ApprovalNotFoundError)
  await expect(approvals.redeem({ ...started, ...aliceLogin })).resolves.toBeDefined()
})

test('the store holds no secret of the session [SC 90]', async () => {
  const { approvals, state } = approvalsForTest()
  const { id, secret } = await approvals.start(login)
  expect(JSON.stringify(await state.get(`approval:${id}`))).not.toContain(secret)
  expect(id).toMatch(/^[\w-]{22}$/)
  expect(secret).toMatch(/^[\w-]{43}$/)
  expect(inspect(approvals, { depth: 10 })).not.toContain(secret)
})

describe('an ended approval never changes [SC 27, 49]', () => {
  test.each([
    ['approved', 'denied'],
    ['denied', 'approved'],
  ] as const)('a late %s after it was %s the other way does nothing', async (late, first) => {
    const { approvals, channel, clock } = approvalsForTest()
    const started = await approvals.start(login)
    const settlement = { channel: 'test', reference: channel.newest, recipientReference: '1635' }
    expect(await approvals.settle({ ...settlement, status: first })).toBe('settled')
    expect(await approvals.settle({ ...settlement, status: late })).toBe('unchanged')
    expect(await approvals.settle({ ...settlement, status: first })).toBe('unchanged')
    channel.answer(late)
    const run = new AbortController()
    const running = approvals.run({ signal: run.signal })
    await clock.advance(10_000)
    run.abort()
    await clock.advance(1_000)
    await running
    expect(await approvals.status(started)).toMatchObject({ status: first })
  })
})

test('what was approved and not redeemed in time has expired, and can not be redeemed any more', async () => {
  const { approvals, channel, clock } = approvalsForTest({ policy: { ttlSeconds: 120 } })
  const started = await approvals.start(login)
  await clock.advance(100_000)
  await approvals.settle({ channel: 'test', reference: channel.newest, recipientReference: '1635', status: 'approved' })
  await clock.advance(59_000)
  expect(await approvals.status(started)).toMatchObject({ status: 'approved' })
  await clock.advance(1_001)
  expect(await approvals.status(started)).toMatchObject({ status: 'expired' })
  await expect(approvals.redeem({ ...started, ...aliceLogin })).rejects.toEqual(
    coded('ERR_APPROVAL_NOT_REDEEMABLE', { reason: 'expired' }),
  )
})

test('an approval expires by the clock alone, and a decision that comes after it lets nobody in [SC 27, 97]', async () => {
  const { approvals, channel, clock } = approvalsForTest()
  const started = await approvals.start(login)
  clock.set(clock.now() + 120_000)
  expect(
    await approvals.settle({
      channel: 'test',
      reference: channel.newest,
      recipientReference: '1635',
      status: 'approved',
    }),
  ).toBe('unchanged')
  expect(await approvals.status(started)).toMatchObject({ status: 'expired' })
})

test.each(['expired', 'cancelled', 'failed', 'denied'] as const)(
  'the answer %s of the provider lets nobody in [SC 31]',
  async (status) => {
    const { approvals, channel, clock } = approvalsForTest()
    const started = await approvals.start(login)
    channel.answer(status)
    const waiting = approvals.wait(started)
    await clock.advance(3_000)
    expect(await waiting).toMatchObject({ status })
    await expect(approvals.redeem({ ...started, ...aliceLogin })).rejects.toEqual(
      coded('ERR_APPROVAL_NOT_REDEEMABLE', { reason: status }),
    )
  },
)

test('a callback counts for what we began, and for the person who was asked [SC 30]', async () => {
  const { approvals, channel } = approvalsForTest()
  const started = await approvals.start(login)
  const good = { channel: 'test', reference: channel.newest, recipientReference: '1635', status: 'approved' as const }
  expect(await approvals.settle({ ...good, reference: 'never-begun' })).toBe('unknown')
  expect(await approvals.settle({ ...good, reference: 'never-begun', approvalId: started.id })).toBe('unknown')
  expect(await approvals.settle({ ...good, channel: 'other' })).toBe('unknown')
  expect(await approvals.settle({ ...good, recipientReference: '9999' })).toBe('unknown')
  expect(await approvals.status(started)).toMatchObject({ status: 'pending' })
})

test('a callback that overtakes the start is told to come again', async () => {
  const { approvals, channel } = approvalsForTest()
  let taken: (() => void) | undefined
  const start = channel.start.bind(channel)
  channel.start = async (request) => {
    const started = await start(request)
    const settlement = { channel: 'test', reference: started.reference, approvalId: request.approvalId }
    expect(await approvals.settle({ ...settlement, recipientReference: '1635', status: 'approved' })).toBe('starting')
    taken?.()
    return started
  }
  const overtaken = new Promise<void>((resolve) => (taken = resolve))
  const started = await approvals.start(login)
  await overtaken
  expect(started.status).toBe('pending')
})

test('a start whose outcome is unknown has failed, is not repeated, and lets nobody in [SC 85]', async () => {
  const { approvals, channel } = approvalsForTest()
  channel.failing.start = new ProviderTimeoutError('test', 'total', 5000)
  const events: ApprovalEvent[] = []
  const listen = (event: unknown): void => void events.push(event as ApprovalEvent)
  diagnostics.subscribe('passport-outofband:approval', listen)
  await expect(approvals.start(login)).rejects.toThrow(ProviderTimeoutError)
  diagnostics.unsubscribe('passport-outofband:approval', listen)
  expect(events.map((event) => event.to)).toEqual(['starting', 'failed'])
  // A push may be on the phone: nobody gets another one beside it.
  delete channel.failing.start
  await expect(approvals.start(login)).rejects.toEqual(coded('ERR_APPROVAL_LIMITED', { reason: 'pending-elsewhere' }))
  expect(channel.questions.size).toBe(0)
})

test('after a plain refusal of the provider the person can try again at once', async () => {
  const { approvals, channel } = approvalsForTest()
  channel.failing.start = new ProviderRejectedError('test', { status: 404 })
  await expect(approvals.start(login)).rejects.toThrow(ProviderRejectedError)
  delete channel.failing.start
  await expect(approvals.start(login)).resolves.toMatchObject({ status: 'pending' })
})

test('when the provider can not be asked, pending stays pending until its own end, and nobody is let in [SC 7]', async () => {
  const { approvals, channel, clock } = approvalsForTest()
  const started = await approvals.start(login)
  channel.failing.check = new Error('down')
  channel.answer('approved')
  const waiting = approvals.wait(started, { timeoutMs: 600_000 })
  await clock.advance(60_000)
  expect(await approvals.status(started)).toMatchObject({ status: 'pending' })
  await clock.advance(61_000)
  expect(await waiting).toMatchObject({ status: 'expired' })
})

test('what the channel calls final ends the question at once, takes it back, and lets nobody in [SC 31]', async () => {
  const channel = new TestChannel({ cancels: true })
  const { approvals, clock } = approvalsForTest({ channel })
  const gone = new Error('there is no such question')
  channel.isFinal = (error) => error === gone
  const started = await approvals.start(login)
  channel.failing.check = new Error('cut off')
  const waiting = approvals.wait(started, { timeoutMs: 600_000 })
  await clock.advance(2_000)
  expect((await approvals.status(started)).status).toBe('pending')
  channel.failing.check = gone
  channel.failing.cancel = new Error('cut off')
  await clock.advance(5_000)
  expect(await waiting).toMatchObject({ status: 'failed' })
  await expect(approvals.redeem({ ...started, ...aliceLogin })).rejects.toMatchObject({ reason: 'failed' })

  delete channel.failing.cancel
  const second = await approvals.start(login)
  void approvals.wait(second)
  await clock.advance(2_000)
  expect((await approvals.status(second)).status).toBe('failed')
  expect(channel.question(channel.newest).cancelled).toBe(true)
})

describe('where questions and their sessions go on at the provider', () => {
  const outliving = () => {
    const channel = new TestChannel({ cancels: true })
    channel.outlives = true
    return { ...approvalsForTest({ channel }), channel }
  }
  async function until(approvals: ReturnType<typeof createApprovals>, advance: () => Promise<void>): Promise<void> {
    const ending = new AbortController()
    const running = approvals.run({ signal: ending.signal })
    await advance()
    ending.abort()
    await running
  }

  test('what expired is withdrawn, again and again until it works', async () => {
    const { approvals, channel, clock } = outliving()
    await approvals.start({ ...login, ttlSeconds: 30 })
    channel.failing.cancel = new Error('cut off')
    await until(approvals, () => clock.advance(60_000))
    expect(channel.question('question-1').cancelled).toBe(false)
    delete channel.failing.cancel
    await until(approvals, () => clock.advance(10_000))
    expect(channel.question('question-1').cancelled).toBe(true)
  })

  test('what was approved and never redeemed is ended, and what was redeemed is not', async () => {
    const { approvals, channel, clock, state } = outliving()
    const done: string[] = []
    const unschedule = state.unschedule.bind(state)
    Object.assign(state, {
      unschedule: (queue: string, member: string) => {
        done.push(member)
        return unschedule(queue, member)
      },
    })
    const forgotten = await approvals.start(login)
    channel.answer('approved', { question: 'question-1' })
    const other = { ...login, subject: 'bob', reference: '7' }
    const used = await approvals.start(other)
    channel.answer('approved', { question: 'question-2' })
    await until(approvals, () => clock.advance(5_000))
    await approvals.redeem({ ...used, subject: 'bob', purpose: 'login' })
    expect(done).toEqual([used.id])
    expect((await approvals.status(forgotten)).status).toBe('approved')
    await until(approvals, () => clock.advance(700_000))
    expect(['question-1', 'question-2'].map((name) => channel.question(name).cancelled)).toEqual([true, false])
    await expect(approvals.redeem({ ...forgotten, ...aliceLogin })).rejects.toMatchObject({ reason: 'expired' })
  })
})

test('every change is told on the diagnostics channel, with who, what and how long [SC 91]', async () => {
  const { approvals, channel, clock } = approvalsForTest()
  const events: ApprovalEvent[] = []
  const listen = (event: unknown): void => void events.push(event as ApprovalEvent)
  diagnostics.subscribe('passport-outofband:approval', listen)
  const started = await approvals.start(login)
  await clock.advance(5_000)
  await approvals.settle({ channel: 'test', reference: channel.newest, recipientReference: '1635', status: 'approved' })
  await approvals.redeem({ ...started, ...aliceLogin })
  diagnostics.unsubscribe('passport-outofband:approval', listen)
  expect(events.map(({ from, to }) => [from, to])).toEqual([
    [undefined, 'starting'],
    ['starting', 'pending'],
    ['pending', 'approved'],
    ['approved', 'redeemed'],
  ])
  expect(events[2]).toMatchObject({ subject: 'alice', purpose: 'login', channel: 'test', durationMs: 5_000 })
  expect(JSON.stringify(events)).not.toContain(started.secret)
})

describe('bad input is refused before anything is stored or sent', () => {
  const refused: readonly (readonly [why: string, change: Record<string, unknown>, field: string])[] = [
    ['no subject', { subject: '' }, 'subject'],
    ['an array for a subject', { subject: ['alice'] }, 'subject'],
    ['a purpose with a blank', { purpose: 'big transfer' }, 'purpose'],
    ['a message with a line break [SC 37]', { message: 'Sign in?\nNo' }, 'message'],
    ['a message that turns the direction of reading [SC 37]', { message: 'Pay \u202E001 EUR' }, 'message'],
    ['a message of blanks', { message: '   ' }, 'message'],
    ['a message of 201 characters', { message: 'x'.repeat(201) }, 'message'],
    ['a fraction in what is bound', { bound: { amount: 0.1 } }, 'bound'],
    ['a date in what is bound', { bound: { on: new Date(0) } }, 'bound'],
    ['an array for what is bound', { bound: [1] }, 'bound'],
    ['64 KiB in what is bound', { bound: { text: 'x'.repeat(65_536) } }, 'bound'],
    ['neither reference nor recipients', { reference: undefined }, 'reference'],
    ['no recipients at all', { recipients: [] }, 'recipients'],
    ['a login approved by somebody else', { recipients: [{ subject: 'bob', reference: '7' }] }, 'recipients'],
    ['a rule that nobody can meet', { rule: { atLeast: 2 } }, 'rule'],
    ['an unknown word', { ttl: 5 }, 'request'],
  ]
  test.each(refused)('%s', async (_why, change, field) => {
    const { approvals, channel } = approvalsForTest()
    const request = { ...login, ...change }
    const error: unknown = await approvals.start(request).catch((reason: unknown) => reason)
    expect(error).toEqual(coded('ERR_INPUT'))
    if (field !== 'request') expect(error).toHaveProperty('field', field)
    expect(channel.questions.size).toBe(0)
  })

  test('a channel that is not ours', async () => {
    const { approvals } = approvalsForTest()
    await expect(approvals.start({ ...login, channel: 'tset' })).rejects.toThrow(InvalidOptionError)
    await expect(approvals.start({ ...login, channel: new TestChannel() })).rejects.toThrow(InvalidOptionError)
  })
})

describe('options are checked when the object is made', () => {
  const state = new MemoryStateStore()
  const channels = [new TestChannel()]
  test.each([
    ['a misspelt one', { state, channels, polcy: {} }, "did you mean 'policy'?"],
    ['no channel', { state, channels: [] }, "option 'channels'"],
    ['a store that is none', { state: {}, channels }, 'give a StateStore'],
    ['a life over ten minutes', { state, channels, policy: { ttlSeconds: 601 } }, "option 'policy.ttlSeconds'"],
    [
      'two channels of one name',
      { state, channels: [...channels, new TestChannel()] },
      "two channels are named 'test'",
    ],
  ])('%s', (_why, options, message) => {
    expect(() => createApprovals(options as never)).toThrow(message)
  })

  test('a policy that demands a kind of proof refuses weaker channels [SC 34]', async () => {
    const { approvals } = approvalsForTest({ policy: { proof: 'compare' } })
    await expect(approvals.start(login)).rejects.toThrow("demands proof 'compare'")
    const comparing = approvalsForTest({ policy: { proof: 'compare' }, channel: new TestChannel({ proof: 'compare' }) })
    expect(await comparing.approvals.start(login)).toMatchObject({ proof: 'compare', code: 'A7K2' })
  })
})
